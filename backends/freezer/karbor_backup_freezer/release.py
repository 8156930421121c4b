"""Releasing an operation: nothing of it stays in Freezer, nor what it made if it did not succeed.

The job that did the work goes last, since all the rest is found by it after a crash.
"""

import time
from collections.abc import Sequence
from typing import Final

import attrs

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Result,
    Transient,
    Verb,
)
from karbor_backup_freezer.actions import removal_of
from karbor_backup_freezer.agent_text import unescaped
from karbor_backup_freezer.bookkeeping import Bookkeeping
from karbor_backup_freezer.client import FreezerClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.identifiers import job_id, removal_step
from karbor_backup_freezer.jobs import ENDED, RAN, Job, Stage, job_document
from karbor_backup_freezer.memory import EndedJobs
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.restorable import deletes_data
from karbor_backup_freezer.storages import Kind

SETTLE: Final = 10.0
"""Seconds after which a stop that no scheduler has answered will not cross with a start.

A scheduler that had read the job before the stop was written would have written over it by then.
"""


class Releaser:
    """Releases operations.

    Args:
        client: Freezer.
        configuration: to know the container of a job that was never created.
        ended: jobs that polls have seen end.
    """

    def __init__(
        self, client: FreezerClient, configuration: Configuration, ended: EndedJobs
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._ended = ended
        self._books = Bookkeeping(client)

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
        job = self._certain(job_id(operation.id))
        if job is None:
            return _done((*self._lost(operation), *self._sweep(operation)))
        if job.stage not in ENDED and (waiting := self._wait(operation, job)):
            return waiting
        if operation.verb is Verb.PROTECT and job.stage in ENDED:
            return self._undo(operation, job)
        return _done((*_half_done(operation, job), *self._forget(operation, job)))

    def _after_success(self, operation: Operation) -> Progress:
        identifier = job_id(operation.id)
        job = self._ended.take(identifier) or self._find(identifier)
        leftovers: list[Leftover] = []
        if job is not None:
            leftovers += self._books.forget(job)
        if operation.attempt > 1 or Receipt.of(operation).doubt:
            leftovers += self._sweep(operation)
        if operation.verb is Verb.DELETE:
            leftovers += _not_deleted(operation)
        return _done(leftovers)

    def _wait(self, operation: Operation, job: Job) -> Progress | None:
        """Wait for a job that may still do something; None when it is sure not to."""
        receipt = Receipt.of(operation)
        if job.stage is Stage.WAITING:
            self._client.stop_job(job.id)
        if job.stage is not Stage.HALTED:
            return _running(receipt)
        if not receipt.settles_at:
            return _running(attrs.evolve(receipt, settles_at=time.time() + SETTLE))
        return None if time.time() >= receipt.settles_at else _running(receipt)

    def _undo(self, operation: Operation, job: Job) -> Progress:
        """Remove the data of a protect, then all that Freezer keeps of it.

        A job that its scheduler took off the list may have been waiting for a free worker, and
        run yet. The removal waits behind it at the same scheduler; so when the removal has run,
        a look at the job tells, and if it did run after all the data is removed once more.
        """
        receipt = Receipt.of(operation)
        if not receipt.removal:
            return self._remove_data(operation, job, 1)
        removal = self._find(job_id(operation.id, removal_step(receipt.removal)))
        if removal is not None and removal.stage not in ENDED:
            return _running(receipt)
        if job.stage in RAN and not receipt.ran:
            return self._remove_data(operation, job, receipt.removal + 1)
        return self._undone(operation, job, _data_left(job, removal))

    def _remove_data(self, operation: Operation, job: Job, number: int) -> Progress:
        """Begin the job that removes the data; look first, since a release may be repeated."""
        identifier = job_id(operation.id, removal_step(number))
        receipt = attrs.evolve(
            Receipt.of(operation), removal=number, ran=job.stage in RAN, settles_at=0.0
        )
        if not job.actions or self._find(identifier) is not None:
            return _running(receipt)
        document = job_document(
            identifier,
            job.client,
            f"karbor-backup removes what protect {operation.id} left",
            removal_of(job.actions[0].fields),
        )
        try:
            self._client.create_job(document)
        except Transient:
            raise
        except BackendError as error:
            note = f"its data was not removed: {error}"
            return self._undone(operation, job, [_container(job, note)])
        return _running(receipt)

    def _undone(self, operation: Operation, job: Job, left: Sequence[Leftover]) -> Progress:
        leftovers = [*left, *self._books.forget_records(job.id)]
        for number in range(1, Receipt.of(operation).removal + 1):
            removal = self._find(job_id(operation.id, removal_step(number)))
            if removal is not None:
                leftovers += self._books.forget(removal)
        return _done((*leftovers, *self._forget(operation, job)))

    def _forget(self, operation: Operation, job: Job) -> Sequence[Leftover]:
        """Remove the job and its actions, after what belongs to neither."""
        return [*self._sweep(operation), *self._books.forget(job)]

    def _lost(self, operation: Operation) -> Sequence[Leftover]:
        """What may be left of a protect whose job somebody else has deleted from Freezer.

        Its agent, if one ran, goes on to its end, and no removal could know when that is.
        """
        receipt = Receipt.of(operation)
        was_released = receipt.removal or receipt.settles_at
        if operation.verb is not Verb.PROTECT or operation.receipt is None or was_released:
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
            return Handle.of(operation.backup).container
        name = Receipt.of(operation).storage or operation.options.get("storage")
        storage = self._configuration.choose_storage(name)
        return storage.container(self._configuration.container, operation.id)


def _running(receipt: Receipt) -> Progress:
    return Progress(ProgressState.RUNNING, receipt=receipt.document())


def _done(leftovers: Sequence[Leftover] = ()) -> Progress:
    return Progress(ProgressState.SUCCEEDED, leftovers=tuple(leftovers))


def _container(job: Job, note: str) -> Leftover:
    container = unescaped(job.field("container"))
    return Leftover(f"container on {job.field('storage')} storage", container, note)


def _data_left(job: Job, removal: Job | None) -> Sequence[Leftover]:
    """What a removal is known not to remove; a job whose actions are gone was dealt with before."""
    if not job.actions:
        return []
    if removal is not None and removal.stage is not Stage.SUCCEEDED:
        return [_container(job, "Freezer failed to remove its data: remove it by hand")]
    if job.stage in RAN and not deletes_data(Kind(job.field("storage"))):
        return [_container(job, "Freezer removes nothing from s3: remove its data by hand")]
    if job.stage is Stage.FAILED:
        note = "it may hold data of the failed backup, which Freezer's removal does not see"
        return [_container(job, note)]
    return []


def _half_done(operation: Operation, job: Job) -> Sequence[Leftover]:
    """What a restore that did not succeed may have made, which nobody could undo."""
    if operation.verb is not Verb.RESTORE or job.stage not in RAN:
        return []
    path = unescaped(job.field("restore_abs_path"))
    note = "the restore may have written to it" if path else "Freezer may have made a part of it"
    return [Leftover(operation.resource.type, path or operation.resource.id, note)]


def _not_deleted(operation: Operation) -> Sequence[Leftover]:
    if operation.backup is None:
        return []
    handle = Handle.of(operation.backup)
    if deletes_data(Kind(handle.kind)):
        return []
    note = "Freezer removes nothing from s3: remove its data by hand"
    return [Leftover("container on s3 storage", handle.container, note)]
