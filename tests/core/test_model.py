"""Whether an operation succeeded, as a program asks for it."""

import pickle
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from karbor_backup_core import (
    InvalidInput,
    KarborBackupError,
    Leftover,
    Operation,
    OperationFailed,
    OperationRefused,
    Outcome,
    Resource,
    Result,
    State,
    Verb,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLANNED = Operation(
    id="one",
    verb=Verb.PROTECT,
    backend="lab",
    implementation="fake",
    scope="here",
    resource=Resource("OS::Cinder::Volume", "v1"),
    created_at=NOW,
    deadline=NOW + timedelta(hours=1),
)
JOB = Leftover("job", "j1", "remove it by hand")


def end_operation(
    result: Result, *, state: State = State.RELEASED, suspended: bool = False, **outcome: object
) -> Operation:
    ended = Outcome(result, **outcome)  # type: ignore[arg-type]
    return attrs.evolve(PLANNED, state=state, suspended=suspended, outcome=ended)


@pytest.mark.parametrize(
    ("operation", "succeeded", "work_succeeded"),
    [
        (PLANNED, False, False),
        (end_operation(Result.SUCCEEDED), True, True),
        (end_operation(Result.SUCCEEDED, covered="the server"), True, True),
        (end_operation(Result.SUCCEEDED, state=State.RELEASING), False, True),
        (end_operation(Result.SUCCEEDED, state=State.RELEASING, suspended=True), False, True),
        (end_operation(Result.FAILED), False, False),
        (end_operation(Result.CANCELLED), False, False),
        (end_operation(Result.FAILED, refused=True), False, False),
    ],
)
def test_operation_succeeded_once_its_work_did_and_it_is_released(
    operation: Operation, *, succeeded: bool, work_succeeded: bool
) -> None:
    assert operation.succeeded is succeeded
    assert operation.work_succeeded is work_succeeded
    if succeeded:
        assert operation.raise_for_outcome() is operation
    else:
        with pytest.raises(OperationFailed) as raised:
            operation.raise_for_outcome()
        assert raised.value.operation is operation


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (PLANNED, "it has not ended: it is planned"),
        (end_operation(Result.FAILED, reason="the disk is full"), "failed: the disk is full"),
        (end_operation(Result.CANCELLED, reason="it was cancelled"), "v1: cancelled (operation"),
        (
            end_operation(Result.SUCCEEDED, state=State.RELEASING, suspended=True),
            "succeeded; it is suspended",
        ),
        (
            end_operation(Result.SUCCEEDED, state=State.RELEASING),
            "succeeded; it is not released yet",
        ),
        (
            end_operation(Result.FAILED, reason="no", leftovers=(JOB, Leftover("volume", "v9"))),
            "failed: no; left behind: job j1 (remove it by hand), volume v9",
        ),
    ],
)
def test_error_has_result_and_leftovers(operation: Operation, message: str) -> None:
    with pytest.raises(KarborBackupError) as raised:
        operation.raise_for_outcome()
    text = str(raised.value)
    assert message in text
    assert text.startswith("protect of OS::Cinder::Volume v1: ")
    assert text.endswith("(operation one)")


def test_error_carries_the_leftovers() -> None:
    with pytest.raises(OperationFailed) as raised:
        end_operation(Result.FAILED, leftovers=(JOB,)).raise_for_outcome()
    assert raised.value.leftovers == (JOB,)


def test_refused_operation_is_invalid_input() -> None:
    with pytest.raises(OperationRefused, match="no such volume") as raised:
        end_operation(Result.FAILED, reason="no such volume", refused=True).raise_for_outcome()
    assert isinstance(raised.value, InvalidInput)


def test_error_is_the_same_in_another_process() -> None:
    error = OperationFailed(end_operation(Result.FAILED, leftovers=(JOB,)))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - it is our own
    assert (str(again), again.operation, again.leftovers) == (
        str(error),
        error.operation,
        (JOB,),
    )
