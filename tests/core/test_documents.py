"""Model instances as JSON documents and back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import (
    RECEIPT_LIMIT,
    Amount,
    Backup,
    InvalidDocument,
    Lease,
    Member,
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Resource,
    Result,
    Retry,
)
from karbor_backup_core.documents import FORMATS, from_document, to_document
from tests.support.strategies import EARLY, backups, instances, instants, operation, operations


def faults_raised_by(call: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(InvalidDocument) as caught:
        call()
    return caught.value.faults


def make_backup(**changes: Any) -> Backup:
    resource = Resource("OS::Cinder::Volume", "volume-1")
    return attrs.evolve(Backup("op-1", resource, "there", "somewhere", {}, "", EARLY), **changes)


@given(instances())
def test_every_instance_survives_the_way_through_json(instance: Any) -> None:
    text = json.dumps(to_document(instance), allow_nan=False)
    assert from_document(type(instance), json.loads(text)) == instance


@given(instances())
def test_a_document_is_made_of_json_values_only(instance: Any) -> None:
    document = to_document(instance)
    assert json.loads(json.dumps(document)) == document


@given(st.lists(instants, min_size=2, max_size=4))
def test_instants_sort_as_text(moments: list[datetime]) -> None:
    texts = [to_document(operation(created_at=moment))["created_at"] for moment in moments]
    assert sorted(texts) == [
        to_document(operation(created_at=moment))["created_at"] for moment in sorted(moments)
    ]


@given(st.one_of(operations, backups), st.data())
def test_a_missing_or_strange_property_is_named(instance: Any, data: st.DataObject) -> None:
    document = to_document(instance)
    required = [
        field.name
        for field in attrs.fields(type(instance))
        if field.default is attrs.NOTHING and field.name in document
    ]
    lost = data.draw(st.sampled_from(required))
    del document[lost]
    faults = faults_raised_by(lambda: from_document(type(instance), {**document, "extra": 1}))
    assert f"$.{lost}: missing" in faults
    assert any(fault.startswith("$: unknown: 'extra'") for fault in faults)


def test_an_instant_of_another_zone_is_written_in_utc() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2026, 1, 1, 5, 30, tzinfo=zone)
    document = to_document(operation(created_at=moment))
    assert document["created_at"] == "2026-01-01T00:00:00.000000+00:00"
    assert from_document(Operation, document).created_at.tzinfo is UTC


def test_all_faults_of_a_document_are_reported_at_once_with_their_places() -> None:
    document = {
        **to_document(operation()),
        "verb": "move",
        "phase": True,
        "amount": {"done": "half"},
        "deadline": "tomorrow",
        "created_at": "2026-01-01T00:00:00",
        "receipt": [1],
        "options": None,
        "outcome": {"result": "succeeded", "parts": {}, "backup": {"id": 1}},
        "id": 5,
    }
    faults = faults_raised_by(lambda: from_document(Operation, document))
    for expected in (
        "$.verb: expected one of protect, restore, delete, verify, maintain, copy",
        "$.phase: expected int, got bool",
        "$.amount.done: expected a number, got str",
        "$.deadline: 'tomorrow' is no instant: write it in ISO 8601 with its zone",
        "$.created_at: '2026-01-01T00:00:00' is no instant: write it in ISO 8601 with its zone",
        "$.receipt: expected an object, got list",
        "$.options: expected an object, got null",
        "$.outcome.parts: expected a list, got dict",
        "$.outcome.backup.id: expected str, got int",
        "$.outcome.backup.handle: missing",
        "$.id: expected str, got int",
    ):
        assert expected in faults


@pytest.mark.parametrize("document", [None, [], "text", 5])
@pytest.mark.parametrize("cls", [Operation, Backup, Progress])
def test_what_is_no_object_is_refused(cls: type[Any], document: Any) -> None:
    (fault,) = faults_raised_by(lambda: from_document(cls, document))
    assert fault.startswith("$: expected an object, got ")


@pytest.mark.parametrize("instance", [operation(), make_backup()])
def test_newer_format_is_distinguished_from_a_broken_document(instance: Any) -> None:
    document = to_document(instance)
    assert document["format"] == FORMATS[type(instance)]
    newer = {**document, "format": FORMATS[type(instance)] + 1, "what_is_this": 1}
    (fault,) = faults_raised_by(lambda: from_document(type(instance), newer))
    assert "by a newer karbor-backup" in fault
    assert "upgrade" in fault
    for number in (None, "1", True, 0):
        (fault,) = faults_raised_by(
            lambda number=number: from_document(type(instance), {**document, "format": number})
        )
        assert "is not a format" in fault


def test_everything_that_cannot_be_written_is_named_with_its_place() -> None:
    broken = operation(
        options={"a": {"b": [object()]}, 5: 6, "odd name": {1, 2}},
        receipt={"text": "x" * RECEIPT_LIMIT},
        deadline=EARLY.replace(tzinfo=None),
        amount=Amount(float("nan")),
    )
    faults = faults_raised_by(lambda: to_document(broken))
    assert "$.options.a.b[0]: object is no type of JSON: write it as text" in faults
    assert "$.options: a name of type int: names are strings in JSON" in faults
    assert "$.options['odd name']: set is no type of JSON: write it as text" in faults
    assert any(fault.startswith(f"$.receipt: {RECEIPT_LIMIT + 11} bytes") for fault in faults)
    assert "$.deadline: 2026-01-01 00:00:00 has no zone: give it in UTC" in faults
    assert "$.amount.done: nan is no number in JSON: use a finite one, or null" in faults


LARGE = {"text": "x" * RECEIPT_LIMIT}


@pytest.mark.parametrize(
    ("instance", "place"),
    [
        (operation(receipt=LARGE), "$.receipt"),
        (Progress(ProgressState.RUNNING, receipt=LARGE), "$.receipt"),
        (Progress(ProgressState.SUCCEEDED, handle=LARGE), "$.handle"),
        (
            Progress(ProgressState.SUCCEEDED, members=(Member(make_backup().resource, LARGE),)),
            "$.members[0].handle",
        ),
        (make_backup(handle=LARGE), "$.handle"),
        (make_backup(members=(make_backup(handle=LARGE),)), "$.members[0].handle"),
        (
            operation(outcome=Outcome(Result.SUCCEEDED, backup=make_backup(handle=LARGE))),
            "$.outcome.backup.handle",
        ),
    ],
)
def test_notes_over_the_limit_are_refused_wherever_they_are(instance: Any, place: str) -> None:
    (fault,) = faults_raised_by(lambda: to_document(instance))
    assert fault.startswith(f"{place}: ")
    assert "keep the data in the service" in fault


def test_a_backup_without_a_handle_is_not_read() -> None:
    document = {**to_document(make_backup()), "handle": None}
    (fault,) = faults_raised_by(lambda: from_document(Backup, document))
    assert fault == "$.handle: expected an object, got null"


def test_notes_over_the_limit_are_not_read_either() -> None:
    document = {**to_document(make_backup()), "handle": LARGE}
    (fault,) = faults_raised_by(lambda: from_document(Backup, document))
    assert fault.startswith("$.handle: ")


def test_notes_of_exactly_the_limit_are_kept() -> None:
    receipt = {"text": "ü" * ((RECEIPT_LIMIT - 11) // 2) + "x"}
    assert from_document(Operation, to_document(operation(receipt=receipt))).receipt == receipt


def test_recursive_value_is_refused() -> None:
    ring = {}
    ring["ring"] = ring
    (fault,) = faults_raised_by(lambda: to_document(operation(receipt=ring)))
    assert fault.startswith("$.receipt: is nested too deeply")


def test_a_name_of_a_file_with_any_byte_is_kept() -> None:
    odd = operation(options={"path": "/a\udcff"}, receipt={"p": "\udcff"})
    assert from_document(Operation, json.loads(json.dumps(to_document(odd)))) == odd


@pytest.mark.parametrize(
    "strange",
    [
        {"id": "../../x"},
        {"id": "a/b"},
        {"id": ""},
        {"id": "x" * 65},
        {"id": "x\n"},
        {"scope": "\ud800"},
        {"resource": Resource("t", "a\x00")},
        {"resource": Resource("t", "\ud800")},
        {"resource": Resource("t", "x" * 4097)},
        {"resource": Resource("t\x00", "a")},
        {"resource": Resource("t", "a", "\udcff")},
    ],
)
def test_an_id_or_name_that_no_store_can_write_down_is_refused(strange: dict[str, Any]) -> None:
    document = to_document(attrs.evolve(operation(), **strange))
    with pytest.raises(InvalidDocument, match="Operation document"):
        from_document(Operation, document)


def test_a_document_shares_nothing_with_the_instance() -> None:
    receipt = {"jobs": ["a"]}
    document = to_document(operation(receipt=receipt))
    receipt["jobs"].append("b")
    assert document["receipt"] == {"jobs": ["a"]}


@pytest.mark.parametrize("wrong", [{"outcome": 5}, {"state": "running"}, {"resource": {"type": 1}}])
def test_attributes_of_a_wrong_type_are_refused(wrong: dict[str, Any]) -> None:
    assert faults_raised_by(lambda: to_document(operation(**wrong)))


@pytest.mark.parametrize(
    ("instance", "fault"),
    [
        (
            Progress(state="runing"),  # type: ignore[arg-type]
            (
                "$.state: expected a ProgressState (one of running, queued, ready, succeeded, "
                "failed, cancelled, unknown), got str"
            ),
        ),
        (
            Outcome("succeeded"),  # type: ignore[arg-type]
            "$.result: expected a Result (one of succeeded, failed, cancelled), got str",
        ),
        (
            operation(created_at="yesterday"),
            "$.created_at: expected a datetime, got str",
        ),
        (operation(outcome=5), "$.outcome: expected a Outcome, got int"),
    ],
)
def test_member_of_an_enum_is_asked_for_with_the_list(instance: object, fault: str) -> None:
    assert faults_raised_by(lambda: to_document(instance)) == (fault,)


def format_1_document(instance: Operation) -> dict[str, Any]:
    """Return the document of an operation as format 1 had it, before leases and amounts."""
    document = {**to_document(instance), "format": 1}
    lease, amount = document.pop("lease"), document.pop("amount")
    owned = {"owner": "", "lease_until": None}
    if lease is not None:
        owned = {"owner": lease["owner"], "lease_until": lease["until"]}
    return {**document, **amount, **owned}


@given(operations)
def test_operation_of_format_1_is_read(instance: Operation) -> None:
    if instance.owner == "":
        instance = attrs.evolve(instance, lease=None)
    assert from_document(Operation, format_1_document(instance)) == instance


def test_operation_that_a_former_release_stored_is_read() -> None:
    document = json.loads(Path(__file__).with_name("operation_format_1.json").read_text())
    instance = from_document(Operation, document)
    until = datetime(2026, 11, 27, 20, 0, 30, tzinfo=UTC)
    assert instance.lease == Lease("host:boot:ns:7:100:30:ab", until)
    assert instance.amount == Amount(10.0, 40.0, "bytes")
    assert instance.retry == Retry("503 from the service", 2, until)
    assert to_document(instance)["format"] == 2


def test_faults_of_a_document_of_format_1_are_named() -> None:
    document = {**format_1_document(operation()), "done": "half", "owner": 5, "extra": 1}
    faults = faults_raised_by(lambda: from_document(Operation, document))
    assert "$.amount.done: expected a number, got str" in faults
    assert "$.lease.owner: expected str, got int" in faults
    assert any(fault.startswith("$: unknown: 'extra'") for fault in faults)


def test_backup_keeps_the_format_that_former_releases_read() -> None:
    assert to_document(make_backup())["format"] == 1
