"""The release of a job that ran although its scheduler had taken it off the list.

It takes a scheduler with all workers busy at the right moment, which cannot be arranged for sure.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

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
from karbor_backup_freezer.api.connection import Connection
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.model.ids import job_id, removal_step
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.release import Releaser

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


class FakeFreezer:
    """Jobs that a test turns by hand."""

    predates_19 = False

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.deleted: list[str] = []
        self.create_job(
            {
                "job_id": job_id("op"),
                "client_id": "one",
                "job_actions": [{"freezer_action": FIELDS}],
            }
        )

    def create_job(self, document: dict[str, Any]) -> bool:
        document["job_actions"][0]["action_id"] = f"action of {document['job_id']}"
        self.jobs[document["job_id"]] = document
        return True

    def set_schedule(self, step: str, status: str, result: str = "") -> None:
        self.jobs[job_id("op", step)]["job_schedule"] = {"status": status, "result": result}

    def get_job(self, identifier: str) -> dict[str, Any] | None:
        return self.jobs.get(identifier)

    def iter_entries(self, _collection: str) -> Iterator[dict[str, Any]]:
        return iter(self.jobs.values())

    def search(self, _collection: str, _field: str, _value: str) -> Sequence[dict[str, Any]]:
        return []

    def delete_entry(self, collection: str, identifier: str) -> None:
        self.deleted.append(identifier)
        if collection == "jobs":
            del self.jobs[identifier]


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
    context = WorkflowContext.create(freezer, CONFIGURATION, services)  # type: ignore[arg-type]
    progress = Releaser(context).release(operation)
    receipt = operation.receipt if progress.receipt is None else progress.receipt
    return progress, attrs.evolve(operation, receipt=receipt)


def test_data_is_removed_again_after_a_job_that_ran_late() -> None:
    freezer, first, second = FakeFreezer(), removal_step(1), removal_step(2)
    freezer.set_schedule("1", "stop")
    progress, operation = _release(freezer, _cancelled_operation())
    assert progress.state is ProgressState.RUNNING
    removal = freezer.jobs[job_id("op", first)]
    assert removal["client_id"] == "one"
    assert removal["job_actions"][0]["freezer_action"]["action"] == "admin"

    freezer.set_schedule(first, "completed", "success")
    freezer.set_schedule("1", "running")
    progress, operation = _release(freezer, operation)
    assert progress.state is ProgressState.RUNNING
    assert freezer.deleted == []

    freezer.set_schedule("1", "completed", "success")
    progress, operation = _release(freezer, operation)
    assert progress.state is ProgressState.RUNNING
    freezer.set_schedule(second, "completed", "success")
    progress, operation = _release(freezer, operation)
    assert progress.state is ProgressState.SUCCEEDED
    assert progress.leftovers == ()
    assert freezer.jobs == {}
    assert freezer.deleted[-1] == job_id("op")


def test_a_removal_that_fails_is_named_and_the_rest_still_goes() -> None:
    freezer = FakeFreezer()
    freezer.set_schedule("1", "completed", "success")
    _, operation = _release(freezer, _cancelled_operation())
    freezer.set_schedule(removal_step(1), "completed", "fail")
    progress, _ = _release(freezer, operation)
    assert progress.state is ProgressState.SUCCEEDED
    assert [leftover.id for leftover in progress.leftovers] == ["/srv/karbor-backup/op"]
    assert freezer.jobs == {}


def test_a_release_that_died_before_its_last_request_comes_to_its_end() -> None:
    freezer = FakeFreezer()
    freezer.set_schedule("1", "completed", "fail")
    freezer.jobs[job_id("op")]["job_actions"] = []
    progress, operation = _release(freezer, _cancelled_operation())
    assert progress.state is ProgressState.RUNNING
    progress, _ = _release(freezer, operation)
    assert progress.state is ProgressState.SUCCEEDED
    assert freezer.jobs == {}


def test_a_release_that_was_repeated_begins_one_removal() -> None:
    freezer = FakeFreezer()
    freezer.set_schedule("1", "completed", "success")
    operation = _cancelled_operation()
    _release(freezer, operation)
    progress, _ = _release(freezer, operation)
    assert progress.state is ProgressState.RUNNING
    assert len(freezer.jobs) == 2
