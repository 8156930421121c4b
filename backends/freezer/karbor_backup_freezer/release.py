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
from karbor_backup_freezer import rebuild
from karbor_backup_freezer.agent_text import unescaped
from karbor_backup_freezer.bookkeeping import Bookkeeping
from karbor_backup_freezer.identifiers import PREPARE, job_id, work_step
from karbor_backup_freezer.jobs import ENDED, RAN, SETTLE, Job, Stage
from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.resources import DIRECTORY, PROJECT
from karbor_backup_freezer.restorable import deletes_data
from karbor_backup_freezer.steps.work import Work
from karbor_backup_freezer.storages import Kind
from karbor_backup_freezer.undoing import Undoing, project_list_left

_BEFORE_THE_JOB: Final = frozenset({Step.NONE, Step.SURVEY, Step.PREFLIGHT, Step.PREPARE})
"""Steps after which there may be no job yet."""


class Releaser:
    """Releases operations.

    Args:
        work: Freezer, and the cloud in which something may be left.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._client = work.client
        self._books = Bookkeeping(work.client)
        self._undoing = Undoing(work, self._books)

    def release(self, operation: Operation) -> Progress:
        """Take the next step of releasing an operation.

        Raises:
            Transient: a repeat may help.
            BackendError: Freezer refuses to tell how the operation's job stands.
        """
        if operation.verb is Verb.VERIFY:
            return _done()
        if operation.outcome is not None and operation.outcome.result is Result.SUCCEEDED:
            return self._after_success(operation)
        found = self._jobs(operation)
        jobs = [job for job in found.values() if job is not None]
        for job in jobs:
            if job.stage not in ENDED and (waiting := self._wait(operation, job)):
                return waiting
        first = jobs[0] if jobs else None
        undone = self._undo(operation, first)
        if undone.state is ProgressState.RUNNING:
            return undone
        kept = () if jobs else self._lost(operation)
        # Before the sweep: from here on nothing that comes late can make anything.
        unused = [identifier for identifier, job in found.items() if job is None]
        retired = [left for identifier in unused for left in self._retire(operation, identifier)]
        strays = self._sweep(operation)
        forgotten = [left for job in reversed(jobs) for left in self._books.forget(job)]
        if operation.verb is Verb.RESTORE and _may_be_late(operation):
            # What a late request made since the last look; from now on it sees that it is late.
            undone = self._undo(operation, first)
        left = (*undone.leftovers, *kept, *retired, *strays, *forgotten)
        return attrs.evolve(undone, leftovers=left)

    def _after_success(self, operation: Operation) -> Progress:
        # What a rebuild could not remove on its way stays named.
        leftovers = list(operation.outcome.leftovers) if operation.outcome else []
        if operation.verb is not Verb.DELETE and operation.resource.type != DIRECTORY:
            # The agent asks for the removal of its temporary things and does not wait for it.
            temporary = self._work.temporary.remove(job_id(operation.id))
            if temporary.pending:
                return Progress(ProgressState.RUNNING, leftovers=temporary.pending)
            leftovers += temporary.leftovers
        for identifier in reversed(self._job_ids(operation, Receipt.of(operation).jobs)):
            job = self._work.ended.take(identifier) or self._find(identifier)
            if job is not None:
                leftovers += self._books.forget(job)
        if operation.attempt > 1 or Receipt.of(operation).doubt:
            leftovers += self._sweep(operation)
        if operation.verb is Verb.RESTORE and _may_be_late(operation):
            leftovers += self._surplus(operation)
        if operation.verb is Verb.DELETE:
            leftovers += self._not_deleted(operation)
        return _done(leftovers)

    def _wait(self, operation: Operation, job: Job) -> Progress | None:
        """Wait for a job that may still do something; None when it is sure not to."""
        receipt = Receipt.of(operation)
        if job.stage is Stage.WAITING:
            self._client.stop_job(job.id)
        if job.stage is not Stage.HALTED:
            return receipt.running()
        if not receipt.settles_at:
            return attrs.evolve(receipt, settles_at=time.time() + SETTLE).running()
        return None if time.time() >= receipt.settles_at else receipt.running()

    def _undo(self, operation: Operation, job: Job | None) -> Progress:
        """Undo what an operation made that did not succeed, whose job does no more."""
        match operation.verb:
            case Verb.PROTECT if job is not None and job.stage in ENDED:
                return self._undoing.protect(operation, job)
            case Verb.RESTORE if operation.resource.type != DIRECTORY:
                return self._undo_restore(operation)
            case _:
                return _done(_half_done(operation, job))

    def _undo_restore(self, operation: Operation) -> Progress:
        receipt = Receipt.of(operation)
        if receipt.step is Step.NONE or operation.backup is None:
            return _done()
        undone = self._work.rebuild.undo(operation, self._work.handle_of(operation), receipt.notes)
        noted = attrs.evolve(receipt, notes=undone.notes)
        return attrs.evolve(undone.progress, receipt=noted.document())

    def _jobs(self, operation: Operation) -> Mapping[str, Job | None]:
        """The jobs that an operation's work may have, by id, the first one first.

        A reply may have been lost, or the request for the next one be on its way.
        """
        first, *others = self._job_ids(operation, Receipt.of(operation).jobs + 1)
        return {first: self._certain(first), **{other: self._find(other) for other in others}}

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
            return rebuild.makes_volumes(operation, self._work.handle_of(operation))
        except InvalidInput:
            # A backup that cannot be read was refused before anything was made of it.
            return False

    def _surplus(self, operation: Operation) -> Sequence[Leftover]:
        """Name what a late request may have made beside the results of a restore."""
        if operation.resource.type == DIRECTORY:
            return []
        handle, notes = self._work.handle_of(operation), Receipt.of(operation).notes
        return self._work.rebuild.surplus(operation, handle, notes)

    def _retire(self, operation: Operation, identifier: str) -> Sequence[Leftover]:
        noted = Receipt.of(operation).client
        known = [scheduler.client_id for scheduler in self._work.schedulers.all()]
        return self._books.retire(identifier, sorted(known, key=lambda client: client != noted))

    def _lost(self, operation: Operation) -> Sequence[Leftover]:
        """What may be left of a protect whose job somebody else has deleted from Freezer.

        Its agent, if one ran, goes on to its end, and no removal could know when that is.
        """
        receipt = Receipt.of(operation)
        was_released = receipt.removal or receipt.settles_at
        if operation.verb is not Verb.PROTECT or was_released or receipt.step in _BEFORE_THE_JOB:
            return []
        note = (
            f"its job {job_id(operation.id)} is gone from Freezer; an agent that ran has stored "
            "data and a record all the same"
        )
        return [Leftover("container", self._container(operation), note)]

    def _find(self, identifier: str) -> Job | None:
        document = self._client.job(identifier)
        return None if document is None else Job.read(document)

    def _certain(self, identifier: str) -> Job | None:
        """Find a job; a single "not found" is not believed when much depends on it."""
        found = self._find(identifier)
        if found is not None:
            return found
        listed = self._client.matching("jobs", "job_id", identifier)
        return Job.read(listed[0]) if listed else None

    def _sweep(self, operation: Operation) -> Sequence[Leftover]:
        try:
            return self._books.sweep(self._container(operation))
        except InvalidInput:
            # Without a container nothing can have been created.
            return []

    def _container(self, operation: Operation) -> str:
        if operation.backup is not None:
            return self._work.handle_of(operation).container
        storage = self._work.storage_of(operation, Receipt.of(operation))
        return storage.container(self._work.configuration.container, operation.id)

    def _not_deleted(self, operation: Operation) -> Sequence[Leftover]:
        """Name what the removal of a backup is known not to remove."""
        if operation.backup is None:
            return []
        handle = self._work.handle_of(operation)
        lists = [
            project_list_left(Kind(handle.kind), handle.container, stored.piece.id)
            for stored in handle.pieces
            if stored.piece.mode is Mode.TENANT
        ]
        stored = any(piece.piece.mode is not Mode.NATIVE for piece in handle.pieces)
        if deletes_data(Kind(handle.kind)) or not stored:
            return lists
        note = "Freezer removes nothing from s3: remove its data by hand"
        return [Leftover("container on s3 storage", handle.container, note)]


def _done(leftovers: Sequence[Leftover] = ()) -> Progress:
    return Progress(ProgressState.SUCCEEDED, leftovers=tuple(leftovers))


def _may_be_late(operation: Operation) -> bool:
    """Whether a request of another process, or one whose reply was lost, may be on its way."""
    return operation.fence > 1 or operation.attempt > 1 or Receipt.of(operation).doubt


def _half_done(operation: Operation, job: Job | None) -> Sequence[Leftover]:
    """What the restore of a directory that did not succeed may have written; nobody undoes it."""
    if operation.verb is not Verb.RESTORE or job is None or job.stage not in RAN:
        return []
    path = unescaped(job.field("restore_abs_path"))
    note = "the restore may have written to it"
    return [Leftover(operation.resource.type, path or operation.resource.id, note)]
