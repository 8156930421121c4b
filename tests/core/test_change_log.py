"""The log line for every change of an operation."""

import json
import logging
from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import Leftover, Operation, Outcome, Result, Retry, State
from karbor_backup_core._change_log import LOGGER_NAME, ChangeLog
from tests.support.strategies import EARLY, lease, operation


def log_change(
    caplog: pytest.LogCaptureFixture, after: Operation, before: Operation | None
) -> logging.LogRecord:
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger=LOGGER_NAME):
        ChangeLog().operation_changed(after, before)
    (record,) = caplog.records
    return record


def test_a_new_operation(caplog: pytest.LogCaptureFixture) -> None:
    record = log_change(caplog, operation(), None)
    assert record.getMessage() == (
        "operation=op-1 verb=protect backend=here resource_type=OS::Cinder::Volume "
        "resource_id=volume-1 state=planned"
    )
    assert (record.name, record.levelno) == (LOGGER_NAME, logging.INFO)


def test_logged_change_has_old_and_new_value(caplog: pytest.LogCaptureFixture) -> None:
    before = operation()
    after = attrs.evolve(before, state=State.SUBMITTING, phase=1, attempt=1, lease=lease("host:1"))
    line = log_change(caplog, after, before).getMessage()
    assert line.endswith("state=planned->submitting phase=0->1 attempt=0->1 owner=none->host:1")


def test_transient_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    after = operation(retry=Retry("503 from the service", failures=1))
    line = log_change(caplog, after, operation()).getMessage()
    assert line.endswith('failures=0->1 error="503 from the service"')


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Outcome(Result.SUCCEEDED), logging.INFO),
        (Outcome(Result.CANCELLED), logging.INFO),
        (Outcome(Result.FAILED, "no space left"), logging.WARNING),
        (Outcome(Result.SUCCEEDED, leftovers=(Leftover("job", "1"),)), logging.WARNING),
    ],
)
def test_end_is_logged_with_reason_and_duration(
    caplog: pytest.LogCaptureFixture, outcome: Outcome, level: int
) -> None:
    before = operation(state=State.RUNNING)
    ended = attrs.evolve(
        before, state=State.ENDED, outcome=outcome, ended_at=EARLY + timedelta(seconds=90)
    )
    record = log_change(caplog, ended, before)
    assert record.levelno == level
    fields = record.karbor_backup
    assert fields["result"] == outcome.result.value
    assert fields["seconds"] == 90.0
    assert fields.get("reason", "") == outcome.reason
    assert fields.get("leftovers", 0) == len(outcome.leftovers)
    json.dumps(fields)


def test_renewed_lease_is_logged_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    later = EARLY + timedelta(minutes=1)
    before = operation(version=1, lease=lease("me"))
    record = log_change(caplog, operation(version=2, lease=lease("me", later)), before)
    assert record.levelno == logging.DEBUG


def test_neither_options_nor_receipts_are_in_it(caplog: pytest.LogCaptureFixture) -> None:
    after = operation(options={"o": "canary"}, receipt={"r": "canary"})
    record = log_change(caplog, after, operation())
    assert "canary" not in record.getMessage()
    assert "canary" not in repr(vars(record))


@pytest.mark.parametrize("reason", ["two\nlines", 'a "quote"', "a=b", "", "\u2028", "tab\t"])
def test_a_value_cannot_break_the_line(caplog: pytest.LogCaptureFixture, reason: str) -> None:
    after = operation(outcome=Outcome(Result.FAILED, reason or "x"), backend=reason)
    line = log_change(caplog, after, None).getMessage()
    assert len(line.splitlines()) == 1
    assert f"backend={json.dumps(reason)} resource_type=" in line


def test_disabled_logger_gets_no_record(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger=LOGGER_NAME):
        ChangeLog().operation_changed(operation(), None)
    assert not caplog.records
