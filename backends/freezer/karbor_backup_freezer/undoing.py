"""Undoing a protect that did not succeed: its data, Cinder's own backups, its temporary things.

What is removed is found by ids that the operation alone has: its job, its container, its prefix.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Transient,
)
from karbor_backup_freezer.actions import native_name, removal_of
from karbor_backup_freezer.agent_text import unescaped
from karbor_backup_freezer.bookkeeping import Bookkeeping
from karbor_backup_freezer.identifiers import job_id, removal_step
from karbor_backup_freezer.jobs import ENDED, RAN, Job, Stage, job_document
from karbor_backup_freezer.modes import is_record_of
from karbor_backup_freezer.pieces import Mode, Piece
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.records import all_records_of, metadata_of
from karbor_backup_freezer.resources import DIRECTORY
from karbor_backup_freezer.restorable import deletes_data
from karbor_backup_freezer.steps import jobs
from karbor_backup_freezer.steps.work import Work, covered
from karbor_backup_freezer.storages import Kind
from karbor_backup_freezer.stored.layout import project_list


class Undoing:
    """Undoes protects whose job has ended.

    Args:
        work: Freezer and the cloud.
        books: what Freezer keeps of jobs.
    """

    def __init__(self, work: Work, books: Bookkeeping) -> None:
        self._work = work
        self._client = work.client
        self._books = books

    def protect(self, operation: Operation, job: Job) -> Progress:
        """Take the next step of undoing; all that is left after the last is the job itself.

        A job that its scheduler took off the list may have been waiting for a free worker, and
        run yet. The removal waits behind it at the same scheduler; so when the removal has run,
        a look at the job tells, and if it did run after all the data is removed once more.

        Raises:
            Transient: a repeat may help.
            BackendError: Freezer or the cloud does not tell what there is.
        """
        receipt = Receipt.of(operation)
        if not receipt.removal:
            return self._remove_data(operation, job, 1)
        removal = self._removal(operation, receipt.removal)
        if removal is not None and removal.stage not in ENDED:
            return receipt.running()
        if job.stage in RAN and not receipt.ran:
            return self._remove_data(operation, job, receipt.removal + 1)
        return self._remove_rest(operation, job, _data_left(job, removal))

    def _remove_data(self, operation: Operation, job: Job, number: int) -> Progress:
        """Begin the job that removes the data; look first, since a release may be repeated."""
        identifier = job_id(operation.id, removal_step(number))
        receipt = attrs.evolve(
            Receipt.of(operation), removal=number, ran=job.stage in RAN, settles_at=0.0
        )
        removals = [removal_of(action.fields) for action in job.actions]
        orders = [order for order in removals if order is not None]
        if any(_folder(order) != operation.id for order in orders):
            note = f"job {job.id} names it, and it is not the container of this protect"
            return self._remove_rest(operation, job, [_container(job, note)])
        if not orders or self._removal(operation, number) is not None:
            return receipt.running()
        what = f"karbor-backup removes what protect {operation.id} left"
        try:
            jobs.create(self._client, job_document(identifier, job.client, what, orders))
        except Transient:
            raise
        except (BackendError, InvalidInput) as error:
            note = f"its data was not removed: {error}"
            return self._remove_rest(operation, job, [_container(job, note)])
        return receipt.running()

    def _remove_rest(self, operation: Operation, job: Job, left: Sequence[Leftover]) -> Progress:
        """Remove what is not in the storage; the removals' own jobs go last."""
        leftovers = [*left]
        container = ""
        if operation.resource.type != DIRECTORY:
            container = unescaped(job.field("container"))
            natives = self._work.natives.remove(self._natives(operation, job), operation.id)
            temporary = self._work.temporary.remove(job.id)
            pending = (*natives.waiting, *temporary.pending)
            if pending:
                return Progress(ProgressState.RUNNING, leftovers=pending)
            leftovers += [*natives.stuck, *temporary.leftovers]
        leftovers += self._books.forget_records(job.id, container)
        for number in range(1, Receipt.of(operation).removal + 1):
            removal = self._removal(operation, number)
            if removal is not None:
                leftovers += self._books.forget(removal)
        return Progress(ProgressState.SUCCEEDED, leftovers=tuple(leftovers))

    def _natives(self, operation: Operation, job: Job) -> Mapping[str, str]:
        """The volumes of Cinder's own backups that the job has made, recorded or not, by id."""
        pieces = [piece for piece in covered(operation).pieces if piece.mode is Mode.NATIVE]
        if not pieces:
            return {}
        found = {native: p.id for p in pieces for native in self._named(operation, p)}
        recorded = [metadata_of(record) for record in all_records_of(self._client, job.id)]
        told = {
            str(metadata.get("cinder_backup_id") or ""): piece.id
            for metadata in recorded
            for piece in pieces
            if is_record_of(piece, metadata)
        }
        return {native: volume for native, volume in {**told, **found}.items() if native}

    def _named(self, operation: Operation, piece: Piece) -> Sequence[str]:
        return self._work.natives.named(native_name(operation), piece.id)

    def _removal(self, operation: Operation, number: int) -> Job | None:
        document = self._client.job(job_id(operation.id, removal_step(number)))
        return None if document is None else Job.read(document)


def project_list_left(kind: Kind, container: str, project: str) -> Leftover:
    """Name the list of a project's servers, which no removal of freezer 19.0.0 removes."""
    note = "Freezer removes the backups of the servers, and not the list of them"
    return Leftover(f"file on {kind} storage", f"{container}/{project_list(project)}", note)


def _folder(order: Mapping[str, Any]) -> str:
    return unescaped(str(order.get("container"))).rpartition("/")[2]


def _container(job: Job, note: str) -> Leftover:
    container = unescaped(job.field("container"))
    return Leftover(f"container on {job.field('storage')} storage", container, note)


def _data_left(job: Job, removal: Job | None) -> Sequence[Leftover]:
    """What a removal is known not to remove; a job whose actions are gone was dealt with before."""
    stores = [action for action in job.actions if removal_of(action.fields) is not None]
    if not stores:
        return []
    if removal is not None and removal.stage is not Stage.SUCCEEDED:
        return [_container(job, "Freezer failed to remove its data: remove it by hand")]
    if job.stage in RAN and not deletes_data(Kind(job.field("storage"))):
        return [_container(job, "Freezer removes nothing from s3: remove its data by hand")]
    if job.stage in RAN and (project := job.field("project_id")):
        kind = Kind(job.field("storage"))
        return [project_list_left(kind, unescaped(job.field("container")), project)]
    if job.stage is Stage.FAILED:
        note = "it may hold data of the failed backup, which Freezer's removal does not see"
        return [_container(job, note)]
    return []
