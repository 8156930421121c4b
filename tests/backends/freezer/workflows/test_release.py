"""The release of a job that ran although its scheduler had taken it off the list.

It takes a scheduler with all workers busy at the right moment, which cannot be arranged for sure.
"""

from datetime import UTC, datetime

import attrs
from pytest_mock import MockerFixture

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
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.workflow import create_workflow
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.services import CloudServices
from tests.support.fake_freezer import FakeFreezer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFIGURATION = Configuration.from_document(
    {"storages": {"disk": {"kind": "local", "path": "/srv"}}}
)
FIELDS = {
    "action": "backup",
    "mode": "fs",
    "storage": "local",
    "path_to_backup": "/data",
    "container": "/srv/karbor-backup/op",
    "backup_name": "nightly",
    "hostname": "far",
}


def make_freezer() -> FakeFreezer:
    """Return a Freezer with the job of the operation; a test turns jobs by hand."""
    freezer = FakeFreezer("one")
    work = {"job_id": job_id("op"), "client_id": "one", "job_actions": [{"freezer_action": FIELDS}]}
    freezer.create_job(work)
    return freezer


def _set_schedule(freezer: FakeFreezer, step: str, status: str, result: str = "") -> None:
    freezer.set_schedule(job_id("op", step), status=status, result=result)


def _deleted(freezer: FakeFreezer) -> list[str]:
    """Return the ids of what was deleted, in order."""
    deletes = [each for each in freezer.requests if each.startswith("DELETE ")]
    return [each.rpartition("/")[2] for each in deletes]


def _cancelled_operation() -> Operation:
    return Operation(
        id="op",
        verb=Verb.PROTECT,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource("Freezer::FileSystem::Directory", "/data"),
        options={"backup_name": "nightly"},
        created_at=NOW,
        deadline=NOW,
        state=State.RELEASING,
        phase=1,
        attempt=1,
        outcome=Outcome(Result.CANCELLED),
    )


def _release(freezer: FakeFreezer, operation: Operation) -> tuple[Progress, Operation]:
    services = CloudServices(Connection(CONFIGURATION))
    context = WorkflowContext.create(freezer, CONFIGURATION, services)
    progress = create_workflow(context).revert(operation)
    receipt = operation.receipt if progress.receipt is None else progress.receipt
    return progress, attrs.evolve(operation, receipt=receipt)


def test_data_of_a_job_that_ran_late_is_removed_again() -> None:
    freezer, first, second = make_freezer(), removal_step(1), removal_step(2)
    _set_schedule(freezer, "1", "stop")
    progress, operation = _release(freezer, _cancelled_operation())
    assert progress.state is ProgressState.RUNNING
    removal = freezer.jobs[job_id("op", first)]
    assert removal["client_id"] == "one"
    assert removal["job_actions"][0]["freezer_action"]["action"] == "admin"

    _set_schedule(freezer, first, "completed", "success")
    _set_schedule(freezer, "1", "running")
    progress, operation = _release(freezer, operation)
    assert progress.state is ProgressState.RUNNING
    assert not _deleted(freezer)

    _set_schedule(freezer, "1", "completed", "success")
    progress, operation = _release(freezer, operation)
    assert progress.state is ProgressState.RUNNING
    _set_schedule(freezer, second, "completed", "success")
    progress, operation = _release(freezer, operation)
    assert progress.state is ProgressState.SUCCEEDED
    assert progress.leftovers == ()
    assert freezer.jobs == {}
    assert _deleted(freezer)[-1] == job_id("op")


def test_failed_removal_is_a_leftover_and_the_rest_is_deleted() -> None:
    freezer = make_freezer()
    _set_schedule(freezer, "1", "completed", "success")
    _, operation = _release(freezer, _cancelled_operation())
    _set_schedule(freezer, removal_step(1), "completed", "fail")
    progress, _ = _release(freezer, operation)
    assert progress.state is ProgressState.SUCCEEDED
    assert [leftover.id for leftover in progress.leftovers] == ["/srv/karbor-backup/op"]
    assert freezer.jobs == {}


def test_release_repeated_after_a_crash_ends() -> None:
    freezer = make_freezer()
    _set_schedule(freezer, "1", "completed", "fail")
    (action,) = freezer.actions
    freezer.delete_entry("actions", action)
    progress, operation = _release(freezer, _cancelled_operation())
    assert progress.state is ProgressState.RUNNING
    progress, _ = _release(freezer, operation)
    assert progress.state is ProgressState.SUCCEEDED
    assert freezer.jobs == {}


def test_repeated_release_starts_one_removal() -> None:
    freezer = make_freezer()
    _set_schedule(freezer, "1", "completed", "success")
    operation = _cancelled_operation()
    _release(freezer, operation)
    progress, _ = _release(freezer, operation)
    assert progress.state is ProgressState.RUNNING
    assert len(freezer.jobs) == 2


def test_an_id_is_used_up_by_the_scheduler_that_the_operation_names(mocker: MockerFixture) -> None:
    freezer = FakeFreezer("another", "mine")
    create_job = mocker.spy(freezer, "create_job")
    options = {"backup_name": "nightly", "scheduler": "mine"}
    progress, _ = _release(freezer, attrs.evolve(_cancelled_operation(), options=options))
    assert progress.state is ProgressState.SUCCEEDED
    assert [call.args[0]["client_id"] for call in create_job.call_args_list] == ["mine"]
