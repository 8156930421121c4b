"""Answers for jobs that a real Freezer cannot be made to show at will."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from karbor_backup_core import (
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Resource,
    Result,
    State,
    Verb,
)
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.model.ids import job_id, removal_step
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.workflow import create_workflow
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.services import CloudServices
from tests.support.fake_freezer import FakeFreezer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFIGURATION = Configuration.from_document(
    {"storages": {"disk": {"kind": "local", "path": "/srv"}}}
)
SUCCEEDED = {"status": "completed", "result": "success"}


def make_freezer(*jobs: dict[str, Any]) -> FakeFreezer:
    """Return a Freezer that has jobs with the schedules of their documents, and no record."""
    freezer = FakeFreezer("one")
    for job in jobs:
        freezer.create_job(job)
        freezer.set_schedule(job["job_id"], **job["job_schedule"])
    freezer.requests.clear()
    return freezer


def _operation(name: str, verb: Verb = Verb.PROTECT, **more: Any) -> Operation:
    defaults: dict[str, Any] = {
        "id": name,
        "verb": verb,
        "backend": "freezer",
        "implementation": "freezer",
        "scope": "s",
        "resource": Resource("Freezer::FileSystem::Directory", "/data"),
        "options": {"backup_name": "nightly"},
        "created_at": NOW,
        "deadline": NOW,
        "state": State.RUNNING,
        "phase": 1,
        "attempt": 1,
    }
    return Operation(**{**defaults, **more})


def _job_document(name: str, schedule: dict[str, Any], step: str = "1") -> dict[str, Any]:
    return {"job_id": job_id(name, step), "client_id": "one", "job_schedule": schedule}


def _poll(freezer: FakeFreezer, *operations: Operation) -> dict[str, Progress]:
    services = CloudServices(Connection(CONFIGURATION))
    context = WorkflowContext.create(freezer, CONFIGURATION, services)
    return create_workflow(context).status(operations)


def test_damaged_operation_fails_alone() -> None:
    freezer = make_freezer(_job_document("good", {"status": "running"}))
    answers = _poll(freezer, _operation("bad", receipt={"format": 99}), _operation("good"))
    assert answers["bad"].state is ProgressState.FAILED
    assert "format 99" in answers["bad"].reason
    assert answers["good"].state is ProgressState.RUNNING


def test_operation_missing_from_a_page_is_requested_by_id() -> None:
    schedule = {"status": "running"}
    freezer = make_freezer(_job_document("one", schedule), _job_document("two", schedule))
    freezer.hidden = set(freezer.jobs)
    answers = _poll(freezer, _operation("one"), _operation("two"), _operation("never"))
    assert answers["one"].state is ProgressState.RUNNING
    assert answers["never"].state is ProgressState.UNKNOWN
    assert len(freezer.requests) == 4


def test_poll_without_job_sends_no_request() -> None:
    freezer = make_freezer()
    ended = Receipt(step="job").to_document()
    delete = _operation("delete", Verb.DELETE, phase=2, state=State.SUBMITTING, receipt=ended)
    answers = _poll(freezer, delete, _operation("verify", Verb.VERIFY))
    assert answers["delete"].state is ProgressState.READY
    assert answers["verify"].state is ProgressState.UNKNOWN
    assert freezer.requests == []


def test_succeeded_job_is_ready_for_inspection() -> None:
    answers = _poll(make_freezer(_job_document("one", SUCCEEDED)), _operation("one"))
    assert answers["one"].state is ProgressState.READY


@pytest.mark.parametrize(
    ("schedule", "cancel_sent", "state"),
    [
        ({"status": "stop"}, True, ProgressState.CANCELLED),
        ({"status": "stop"}, False, ProgressState.FAILED),
        ({"event": "stop"}, True, ProgressState.CANCELLED),
        ({"event": "stop"}, False, ProgressState.RUNNING),
        ({"status": "completed", "result": "aborted"}, True, ProgressState.FAILED),
    ],
)
def test_stopped_job_is_cancelled_only_if_a_cancel_was_sent(
    schedule: dict[str, Any], state: ProgressState, *, cancel_sent: bool
) -> None:
    operation = _operation("one", cancel_sent=cancel_sent)
    assert _poll(make_freezer(_job_document("one", schedule)), operation)["one"].state is state


@pytest.mark.parametrize(
    ("schedule", "settles_at", "state"),
    [
        (SUCCEEDED, 0.0, ProgressState.READY),
        ({"status": "running"}, 0.0, ProgressState.RUNNING),
        ({"event": "stop"}, 1e12, ProgressState.RUNNING),
        ({"event": "stop"}, 1.0, ProgressState.READY),
    ],
)
def test_release_waits_until_the_job_cannot_start_any_more(
    schedule: dict[str, Any], settles_at: float, state: ProgressState
) -> None:
    operation = _operation(
        "one",
        state=State.RELEASING,
        outcome=Outcome(Result.CANCELLED),
        receipt=Receipt(settles_at=settles_at).to_document(),
    )
    assert _poll(make_freezer(_job_document("one", schedule)), operation)["one"].state is state


def test_release_waits_for_its_removal_job() -> None:
    releasing = _operation(
        "one",
        state=State.RELEASING,
        outcome=Outcome(Result.CANCELLED),
        receipt=Receipt(removal=2).to_document(),
    )
    freezer = make_freezer(
        _job_document("one", SUCCEEDED),
        _job_document("one", {"status": "running"}, removal_step(2)),
    )
    assert _poll(freezer, releasing)["one"].state is ProgressState.RUNNING
    ended = attrs.evolve(releasing, state=State.ENDED)
    assert _poll(freezer, ended)["one"].state is ProgressState.READY


def test_stopping_work_names_its_job_as_leftover() -> None:
    freezer = make_freezer(_job_document("one", {"status": "running"}))
    assert _poll(freezer, _operation("one"))["one"].leftovers == ()
    for late in (
        _operation("one", cancel_sent=True),
        _operation("one", state=State.ENDED, outcome=Outcome(Result.FAILED), awaiting=True),
    ):
        (leftover,) = _poll(freezer, late)["one"].leftovers
        assert (leftover.kind, leftover.id) == ("Freezer job", job_id("one"))
