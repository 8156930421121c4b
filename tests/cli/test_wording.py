"""No message says the same twice in a row, whatever outcome and reason it is made of."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_cli._details import format_operation
from karbor_backup_cli._progress import _progress_fields
from karbor_backup_cli._reports import format_already_ended, format_result
from karbor_backup_core import (
    BackendError,
    BackupBusy,
    Call,
    Lifecycle,
    Operation,
    Part,
    Policy,
    Progress,
    ProgressState,
    Resource,
    Result,
    State,
    Transient,
    Verb,
    describe_result,
)
from tests.support.wording import find_repetition

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_RESOURCE = Resource("OS::Cinder::Volume", "volume-1", "data")
_REASONS = (
    "",
    "failed",
    "Failed: the disk is full",
    "the disk is full",
    "cancelled",
    "it was cancelled",
    "It was cancelled by an operator",
    "cancelled as it finished",
    "it has failed; see the log",
    "succeeded",
)


@pytest.mark.parametrize(
    ("text", "repetition"),
    [
        ("operation ab-1: operation ab-1 is gone", "operation ab-1: operation ab-1"),
        ("cancelled: it was cancelled", "cancelled: it was cancelled"),
        ("failed: Failed", "failed: Failed"),
        ("waits: waits for operation x", "waits: waits"),
        ("  waits for    waits for operation x", "waits for    waits for"),
        ("failed: the disk is full", None),
        ("1, 1, 1", None),
    ],
)
def test_repetition_is_found(text: str, repetition: str | None) -> None:
    assert find_repetition(text) == repetition


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("reason", _REASONS)
def test_result_is_printed_once(result: Result, reason: str) -> None:
    told = describe_result(result, reason)
    assert find_repetition(told) is None
    assert told.startswith(result.value)


def _operation(verb: Verb, *, cancelled: bool) -> Operation:
    return Operation(
        id="7b4a9f3e-0000-4000-8000-000000000000",
        verb=verb,
        backend="mine",
        implementation="fake",
        scope="fake:here",
        resource=_RESOURCE,
        created_at=_NOW,
        deadline=_NOW + timedelta(hours=1),
        state=State.RUNNING,
        phase=1,
        submitted_at=_NOW,
        cancel_requested=cancelled,
        cancel_sent=cancelled,
    )


_ANSWERS = st.one_of(
    st.builds(
        Progress,
        state=st.sampled_from(ProgressState),
        reason=st.sampled_from(_REASONS),
        handle=st.just({"copy": "x"}),
        parts=st.lists(
            st.builds(
                Part,
                resource=st.just(_RESOURCE),
                result=st.sampled_from(Result),
                reason=st.sampled_from(_REASONS),
            ),
            max_size=2,
        ).map(tuple),
    ),
    st.sampled_from(_REASONS).map(Transient),
    st.sampled_from(_REASONS).map(BackendError),
)


@given(
    verb=st.sampled_from(Verb),
    cancelled=st.booleans(),
    minutes=st.lists(st.integers(0, 200), min_size=1, max_size=3).map(sorted),
    answers=st.lists(_ANSWERS, min_size=3, max_size=3),
)
def test_description_of_any_state_repeats_no_word(
    verb: Verb, *, cancelled: bool, minutes: list[int], answers: list[Progress | BackendError]
) -> None:
    lifecycle = Lifecycle(Policy())
    operation = _operation(verb, cancelled=cancelled)
    for after, answer in zip(minutes, answers, strict=False):
        if operation.state is State.RUNNING:
            now = _NOW + timedelta(minutes=after)
            operation = lifecycle.apply(operation, Call.POLL, answer, now)
    messages = [
        *format_operation(operation),
        format_result(operation),
        format_already_ended(operation),
        _progress_fields(operation)["waits_for"],
    ]
    assert [found for each in messages if (found := find_repetition(each))] == []


def test_wait_for_another_operation_is_reported_once() -> None:
    waiting = Lifecycle(Policy()).wait_for_other(
        _operation(Verb.RESTORE, cancelled=False), BackupBusy("b", "other"), _NOW, driven=False
    )
    messages = [*format_operation(waiting), _progress_fields(waiting)["waits_for"]]
    assert "waits: operation other works on the same backup; no process drives" in messages[-1]
    assert [found for each in messages if (found := find_repetition(each))] == []
