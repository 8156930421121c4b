"""Releasing an operation: nothing of it stays in Freezer, nor what it made if it did not succeed.

The job that did the work goes last, since all the rest is found by it after a crash.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from karbor_backup_core import (
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Result,
    Verb,
)
from karbor_backup_freezer import restore
from karbor_backup_freezer.agent.compatibility import deletes_data
from karbor_backup_freezer.agent.escaping import unescape
from karbor_backup_freezer.api.cleanup import FreezerCleanup
from karbor_backup_freezer.api.jobs import COMPLETED_STATES, ENDED_STATES, STOP_GRACE, Job, JobState
from karbor_backup_freezer.model.ids import PREPARE, job_id, work_step
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.receipt import Receipt, StepName
from karbor_backup_freezer.model.resource_types import DIRECTORY, PROJECT
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.protect_rollback import ProtectRollback, project_list_leftover

_STEPS_BEFORE_JOB: Final = frozenset(
    {StepName.NONE, StepName.SURVEY, StepName.PREFLIGHT, StepName.PREPARE}
)
"""Steps after which there may be no job yet."""


class Releaser:
    """Releases operations.

    Args:
        context: Freezer, and the cloud in which something may be left.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context
        self._client = context.client
        self._cleanup = FreezerCleanup(context.client)
        self._undoing = ProtectRollback(context, self._cleanup)

    def release(self, operation: Operation) -> Progress:
        """Take the next step of releasing an operation.

        Raises:
            Transient: a repeat may help.
            BackendError: Freezer refuses to tell how the operation's job stands.
        """
        if operation.verb is Verb.VERIFY:
            return _succeeded()
        if operation.outcome is not None and operation.outcome.result is Result.SUCCEEDED:
            return self._release_succeeded(operation)
        found = self._find_jobs(operation)
        jobs = [job for job in found.values() if job is not None]
        for job in jobs:
            if job.state not in ENDED_STATES and (waiting := self._wait_for_job(operation, job)):
                return waiting
        first = jobs[0] if jobs else None
        undone = self._roll_back(operation, first)
        if undone.state is ProgressState.RUNNING:
            return undone
        kept = () if jobs else self._lost_job_leftovers(operation)
        # Before the sweep: from here on nothing that comes late can make anything.
        unused = [identifier for identifier, job in found.items() if job is None]
        retired = [left for identifier in unused for left in self._retire(operation, identifier)]
        strays = self._delete_stray_actions(operation)
        forgotten = [left for job in reversed(jobs) for left in self._cleanup.delete_job(job)]
        if operation.verb is Verb.RESTORE and _may_be_late(operation):
            # What a late request made since the last look; from now on it sees that it is late.
            undone = self._roll_back(operation, first)
        left = (*undone.leftovers, *kept, *retired, *strays, *forgotten)
        return attrs.evolve(undone, leftovers=left)

    def _release_succeeded(self, operation: Operation) -> Progress:
        # What a rebuild could not remove on its way stays named.
        leftovers = list(operation.outcome.leftovers) if operation.outcome else []
        if operation.verb is not Verb.DELETE and operation.resource.type != DIRECTORY:
            # The agent asks for the removal of its temporary things and does not wait for it.
            temporary = self._context.temporary_resources.remove_for_job(job_id(operation.id))
            if temporary.pending:
                return Progress(ProgressState.RUNNING, leftovers=temporary.pending)
            leftovers += temporary.leftovers
        for identifier in reversed(
            self._job_ids(operation, Receipt.from_operation(operation).jobs)
        ):
            job = self._context.finished_jobs.pop(identifier) or self._find_job(identifier)
            if job is not None:
                leftovers += self._cleanup.delete_job(job)
        if operation.attempt > 1 or Receipt.from_operation(operation).doubt:
            leftovers += self._delete_stray_actions(operation)
        if operation.verb is Verb.RESTORE and _may_be_late(operation):
            leftovers += self._surplus(operation)
        if operation.verb is Verb.DELETE:
            leftovers += self._undeleted_data(operation)
        return _succeeded(leftovers)

    def _wait_for_job(self, operation: Operation, job: Job) -> Progress | None:
        """Wait for a job that may still do something; None when it is sure not to."""
        receipt = Receipt.from_operation(operation)
        if job.state is JobState.WAITING:
            self._client.stop_job(job.id)
        if job.state is not JobState.HALTED:
            return receipt.running_progress()
        if not receipt.settles_at:
            return attrs.evolve(receipt, settles_at=time.time() + STOP_GRACE).running_progress()
        return None if time.time() >= receipt.settles_at else receipt.running_progress()

    def _roll_back(self, operation: Operation, job: Job | None) -> Progress:
        """Undo what an operation made that did not succeed, whose job does no more."""
        match operation.verb:
            case Verb.PROTECT if job is not None and job.state in ENDED_STATES:
                return self._undoing.roll_back(operation, job)
            case Verb.RESTORE if operation.resource.type != DIRECTORY:
                return self._roll_back_restore(operation)
            case _:
                return _succeeded(_partial_restore(operation, job))

    def _roll_back_restore(self, operation: Operation) -> Progress:
        receipt = Receipt.from_operation(operation)
        if receipt.step is StepName.NONE or operation.backup is None:
            return _succeeded()
        undone = self._context.restorer.roll_back(
            operation, self._context.load_handle(operation), receipt.notes
        )
        updated = attrs.evolve(receipt, notes=undone.restore_state)
        return attrs.evolve(undone.progress, receipt=updated.to_document())

    def _find_jobs(self, operation: Operation) -> Mapping[str, Job | None]:
        """The jobs that an operation's work may have, by id, the first one first.

        A reply may have been lost, or the request for the next one be on its way.
        """
        first, *others = self._job_ids(operation, Receipt.from_operation(operation).jobs + 1)
        return {
            first: self._find_job_twice(first),
            **{other: self._find_job(other) for other in others},
        }

    def _job_ids(self, operation: Operation, later: int) -> Sequence[str]:
        """The ids of an operation's jobs, of which a project's restore has several."""
        steps = [work_step(0)]
        if operation.verb is Verb.RESTORE and operation.resource.type == PROJECT:
            steps += [work_step(number) for number in range(1, later + 1)]
        steps += [PREPARE] if self._makes_volumes(operation) else []
        return [job_id(operation.id, step) for step in steps]

    def _makes_volumes(self, operation: Operation) -> bool:
        if operation.verb is not Verb.RESTORE or operation.resource.type == DIRECTORY:
            return False
        try:
            return restore.makes_volumes(operation, self._context.load_handle(operation))
        except InvalidInput:
            # A backup that cannot be read was refused before anything was made of it.
            return False

    def _surplus(self, operation: Operation) -> Sequence[Leftover]:
        """Name what a late request may have made beside the results of a restore."""
        if operation.resource.type == DIRECTORY:
            return []
        handle, notes = (
            self._context.load_handle(operation),
            Receipt.from_operation(operation).notes,
        )
        return self._context.restorer.surplus(operation, handle, notes)

    def _retire(self, operation: Operation, identifier: str) -> Sequence[Leftover]:
        updated = Receipt.from_operation(operation).client
        known = [scheduler.client_id for scheduler in self._context.schedulers.list_all()]
        return self._cleanup.retire(identifier, sorted(known, key=lambda client: client != updated))

    def _lost_job_leftovers(self, operation: Operation) -> Sequence[Leftover]:
        """What may be left of a protect whose job somebody else has deleted from Freezer.

        Its agent, if one ran, goes on to its end, and no removal could know when that is.
        """
        receipt = Receipt.from_operation(operation)
        was_released = receipt.removal or receipt.settles_at
        if operation.verb is not Verb.PROTECT or was_released or receipt.step in _STEPS_BEFORE_JOB:
            return []
        note = (
            f"its job {job_id(operation.id)} is gone from Freezer; an agent that ran has stored "
            "data and a record all the same"
        )
        return [Leftover("container", self._get_container(operation), note)]

    def _find_job(self, identifier: str) -> Job | None:
        document = self._client.get_job(identifier)
        return None if document is None else Job.from_document(document)

    def _find_job_twice(self, identifier: str) -> Job | None:
        """Find a job; a single "not found" is not believed when much depends on it."""
        found = self._find_job(identifier)
        if found is not None:
            return found
        listed = self._client.search("jobs", "job_id", identifier)
        return Job.from_document(listed[0]) if listed else None

    def _delete_stray_actions(self, operation: Operation) -> Sequence[Leftover]:
        try:
            return self._cleanup.delete_stray_actions(self._get_container(operation))
        except InvalidInput:
            # Without a container nothing can have been created.
            return []

    def _get_container(self, operation: Operation) -> str:
        if operation.backup is not None:
            return self._context.load_handle(operation).container
        storage = self._context.get_storage(operation, Receipt.from_operation(operation))
        return storage.backup_container(self._context.configuration.container, operation.id)

    def _undeleted_data(self, operation: Operation) -> Sequence[Leftover]:
        """Name what the removal of a backup is known not to remove."""
        if operation.backup is None:
            return []
        handle = self._context.load_handle(operation)
        lists = [
            project_list_leftover(StorageKind(handle.kind), handle.container, stored.piece.id)
            for stored in handle.pieces
            if stored.piece.mode is Mode.TENANT
        ]
        stored = any(item.piece.mode is not Mode.NATIVE for item in handle.pieces)
        if deletes_data(StorageKind(handle.kind)) or not stored:
            return lists
        note = "Freezer removes nothing from s3: remove its data by hand"
        return [Leftover("container on s3 storage", handle.container, note)]


def _succeeded(leftovers: Sequence[Leftover] = ()) -> Progress:
    return Progress(ProgressState.SUCCEEDED, leftovers=tuple(leftovers))


def _may_be_late(operation: Operation) -> bool:
    """Whether a request of another process, or one whose reply was lost, may be on its way."""
    return operation.fence > 1 or operation.attempt > 1 or Receipt.from_operation(operation).doubt


def _partial_restore(operation: Operation, job: Job | None) -> Sequence[Leftover]:
    """What the restore of a directory that did not succeed may have written; nobody undoes it."""
    if operation.verb is not Verb.RESTORE or job is None or job.state not in COMPLETED_STATES:
        return []
    path = unescape(job.get_field("restore_abs_path"))
    note = "the restore may have written to it"
    return [Leftover(operation.resource.type, path or operation.resource.id, note)]
