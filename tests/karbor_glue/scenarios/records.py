"""What Karbor's records and logs are told of an operation whose flow is gone."""

from typing import Any

import attrs
import pytest
from harness import FakeRecord, make_resource

from karbor_backup_core import Check, Operation, Outcome, Part, Resource, Result, Verb, system_clock
from karbor_glue import _karbor_records
from karbor_glue._operation_logs import end_logs
from karbor_glue._recovery import RecoveryResult

SERVER, VOLUME, DIRECTORY = (
    "OS::Nova::Server",
    "OS::Cinder::Volume",
    "Freezer::FileSystem::Directory",
)
PATH = "/srv/data"
NOW = system_clock()


@attrs.define
class FakeLog:
    """Stands in for Karbor's log of an operation, which needs its database."""

    checkpoint_id: str
    status: str
    error_info: str = ""
    id: str = "log"
    ended_at: Any = None

    def save(self) -> None:
        pass


@attrs.frozen
class FakeProvider:
    """Stands in for a provider whose only checkpoint has a status."""

    status: str

    def get_checkpoint(self, _: str) -> Any:
        return self


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> FakeRecord:
    record = FakeRecord()
    monkeypatch.setattr(_karbor_records, "_find_record", lambda _: record)
    return record


def make_operation(verb: Verb, resource: Resource, **outcome: Any) -> Operation:
    """Make an operation that has ended."""
    return Operation(
        id="operation",
        verb=verb,
        backend="freezer",
        implementation="freezer",
        scope="scope",
        resource=resource,
        outcome=Outcome(**outcome),
        created_at=NOW,
        deadline=NOW,
    )


def end_restore(resource: Resource, *others: str, **outcome: Any) -> None:
    """Tell the record of a restore how the work on a resource ended."""
    operation = make_operation(Verb.RESTORE, resource, **outcome)
    known = {each: make_resource(each) for each in others}
    known[resource.id] = make_resource("directory-1" if resource.id == PATH else resource.id)
    _karbor_records.update_record({"restore": "record"}, known, operation)


def test_a_restored_resource_is_named_by_its_new_id(record: FakeRecord) -> None:
    server = Resource(SERVER, "server-1", "")
    new = Resource(SERVER, "new-1", "")
    end_restore(server, result=Result.SUCCEEDED, resources=(new,))
    assert record.statuses == {f"{SERVER}#new-1": "available"}


@pytest.mark.parametrize("result", [Result.SUCCEEDED, Result.FAILED])
def test_directory_keeps_its_id_for_every_result(record: FakeRecord, result: Result) -> None:
    directory = Resource(DIRECTORY, PATH, "")
    resources = (directory,) if result is Result.SUCCEEDED else ()
    end_restore(directory, result=result, resources=resources)
    assert set(record.statuses) == {f"{DIRECTORY}#directory-1"}


def test_restore_record_includes_the_members(record: FakeRecord) -> None:
    whole, member = Resource(SERVER, "server-1", ""), Resource(VOLUME, "volume-1", "")
    other, unknown = Resource(VOLUME, "volume-2", ""), Resource(VOLUME, "volume-3", "")
    new = Resource(VOLUME, "new-1", "")
    end_restore(
        whole,
        "volume-1",
        "volume-2",
        result=Result.FAILED,
        reason="1 of 3",
        parts=(
            Part(member, Result.SUCCEEDED, restored=new),
            Part(other, Result.FAILED, "too large"),
            Part(unknown, Result.SUCCEEDED),
        ),
    )
    assert record.statuses == {
        f"{VOLUME}#new-1": "available",
        f"{VOLUME}#volume-2": "error",
        f"{SERVER}#server-1": "error",
    }
    assert record.reasons[f"{VOLUME}#volume-2"] == "too large"
    assert record.reasons[f"{SERVER}#server-1"] == "1 of 3"


def test_success_with_unverified_checks_has_them_as_reason(record: FakeRecord) -> None:
    server = Resource(SERVER, "server-1", "")
    checks = (Check("address", verified=False, reason="10.9.0.10 was taken"),)
    end_restore(server, result=Result.SUCCEEDED, checks=checks)
    (reason,) = record.reasons.values()
    assert reason == "not verified: address: 10.9.0.10 was taken"


def test_the_log_of_a_failed_protect_has_the_reason() -> None:
    directory = Resource(DIRECTORY, PATH, "")
    operation = make_operation(
        Verb.PROTECT, directory, result=Result.FAILED, reason="name one with the option 'scheduler'"
    )
    result = RecoveryResult("checkpoint", "protecting", "error", (operation,))
    log = FakeLog("checkpoint", "protecting")
    end_logs(FakeProvider("error"), [log], {"checkpoint": result.reasons})
    assert log.status == "error"
    general, reason = log.error_info.split("\n")
    assert "'karbor-backup karbor recover' has put it right" in general
    assert reason.startswith(f"{DIRECTORY} {PATH}: failed: name one")
    assert "set scheduler_client_id in the provider's file" in reason


def test_log_of_a_success_has_no_reason() -> None:
    volume = Resource(VOLUME, "volume-1", "")
    operation = make_operation(Verb.PROTECT, volume, result=Result.SUCCEEDED)
    result = RecoveryResult("checkpoint", "protecting", "available", (operation,))
    log = FakeLog("checkpoint", "protecting", "what a hook has told")
    end_logs(FakeProvider("available"), [log], {"checkpoint": result.reasons})
    assert (log.status, log.error_info) == ("available", "what a hook has told")
