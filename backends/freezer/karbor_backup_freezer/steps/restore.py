"""Restore: preflight, what the job restores into, the job, and the rebuild."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from karbor_backup_core import (
    BackendError,
    Json,
    Operation,
    Progress,
    ProgressState,
)
from karbor_backup_freezer import actions, placement, rebuild
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.identifiers import PREPARE, job_id, piece_index, work_step
from karbor_backup_freezer.jobs import Stage, placeholder_document
from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.rebuild.names import check_names
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.resources import DIRECTORY, PROJECT
from karbor_backup_freezer.schedulers import Scheduler
from karbor_backup_freezer.steps import handover, jobs
from karbor_backup_freezer.steps.work import Work
from karbor_backup_freezer.storages import Storage


class Restore:
    """The steps of a restore.

    Args:
        work: what the steps need.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    def step(self, operation: Operation, own_paths: Sequence[str] = ()) -> Progress:
        """Take the step that is next.

        Args:
            operation: the restore.
            own_paths: what the calling program works with on this host, and is to be spared.

        Raises:
            InvalidInput: it cannot be done as asked.
            Transient: a repeat may help.
            BackendError: a repeat would not.
        """
        receipt = Receipt.of(operation)
        backup, handle, storage = self._work.source(operation)
        if receipt.step is Step.NONE:
            self._work.prove(backup, handle)
            check_names(operation, handle.pieces, handle.servers)
        noted = attrs.evolve(receipt, storage=storage.name)
        if (moved := handover.advance_job(self._work, operation, noted)) is not None:
            return moved
        match receipt.step:
            case Step.NONE if operation.resource.type == DIRECTORY:
                return self._begin_directory(operation, noted, handle, storage, own_paths)
            case Step.NONE:
                return self._preflight(operation, noted, handle, storage)
            case Step.PREFLIGHT | Step.PREPARE:
                return self._prepare(operation, noted, handle, storage)
            case Step.JOB if operation.resource.type == PROJECT:
                return self._after_job(operation, noted, handle, storage)
            case _:
                return self._rebuild(operation, noted, handle)

    def _preflight(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        """Refuse what could not come to its end."""
        pieces = [stored.piece for stored in handle.pieces]
        if not pieces:
            return self._rebuild(operation, receipt, handle)
        scheduler = self._scheduler(operation, receipt, handle, storage)
        self._work.agents.check(scheduler.hostname, pieces)
        self._work.preflight.check(pieces, handle.servers, operation.options)
        noted = attrs.evolve(receipt, step=Step.PREFLIGHT, client=scheduler.client_id)
        return noted.ready()

    def _prepare(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        """Have what the job restores into; where that is there, begin the job."""
        if receipt.step is Step.PREFLIGHT and rebuild.makes_volumes(operation, handle):
            # It is there until the release, so that whoever comes late sees that it is over.
            fence = placeholder_document(job_id(operation.id, PREPARE), receipt.client)
            jobs.create(self._work.client, fence)
        prepared = self._work.rebuild.prepare(operation, handle, receipt.notes)
        noted = attrs.evolve(receipt, notes=prepared.notes)
        if prepared.progress.state is ProgressState.READY:
            return self._begin(operation, noted, handle, storage)
        return _answer(prepared, attrs.evolve(noted, step=Step.PREPARE))

    def _begin_directory(
        self,
        operation: Operation,
        receipt: Receipt,
        handle: Handle,
        storage: Storage,
        own_paths: Sequence[str],
    ) -> Progress:
        """Begin the job of a directory's restore, unless it would do damage.

        The guard looks right before the job is created: what is mounted later it cannot see.
        """
        if jobs.begun(self._work, operation) is None:
            scheduler = self._scheduler(operation, receipt, handle, storage)
            self._work.restore_guard.check(operation, handle, scheduler.hostname, own_paths)
            receipt = attrs.evolve(receipt, client=scheduler.client_id, hostname=scheduler.hostname)
        return self._begin(operation, receipt, handle, storage)

    def _begin(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        noted = attrs.evolve(receipt, step=Step.JOB, doubt=receipt.doubt or operation.attempt > 1)
        if job := jobs.begun(self._work, operation):
            return attrs.evolve(noted, client=job.client).running()
        client = receipt.client
        if not client:
            client = self._scheduler(operation, receipt, handle, storage).client_id
        jobs.begin(
            self._work, operation, client, self._actions(operation, receipt, handle, storage)
        )
        return attrs.evolve(noted, client=client).running()

    def _after_job(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        """Begin another job for the members that the last one has not tried.

        Its first action was tried for sure. Beyond that one the agent has got as far as it has
        left anything; what left nothing is tried again, as the first one of the next job.
        """
        step = work_step(receipt.jobs + 1)
        doubt = receipt.doubt or operation.attempt > 1
        noted = attrs.evolve(receipt, jobs=receipt.jobs + 1, doubt=doubt)
        if job := jobs.begun(self._work, operation, step):
            return attrs.evolve(noted, client=job.client).running()
        last = jobs.ended(self._work, operation, work_step(receipt.jobs))
        if last is None or last.stage is not Stage.FAILED:
            return self._rebuild(operation, receipt, handle)
        first = piece_index(last.field("temp_resource_prefix"))
        reached = self._work.rebuild.reached(operation, handle)
        untried = max([first, *reached]) + 1
        orders = self._actions(operation, receipt, handle, storage)[untried:]
        if not orders:
            return self._rebuild(operation, receipt, handle)
        jobs.begin(self._work, operation, receipt.client, orders, step)
        return noted.running()

    def _rebuild(self, operation: Operation, receipt: Receipt, handle: Handle) -> Progress:
        rebuilt = self._work.rebuild.begin(operation, handle, receipt.notes)
        return _answer(rebuilt, attrs.evolve(receipt, step=Step.REBUILD, notes=rebuilt.notes))

    def _scheduler(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Scheduler:
        return placement.for_backup(
            self._work.schedulers,
            self._work.scheduler_named(operation),
            handle,
            storage,
            self._actions(operation, receipt, handle, storage),
            operation.id,
        )

    def _actions(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> list[Mapping[str, Any]]:
        targets = self._targets(handle, receipt.notes)
        return [
            actions.restore_action(
                operation, index, stored, handle.place, storage, targets.get(stored.piece.id, "")
            )
            for index, stored in enumerate(handle.pieces)
        ]

    def _targets(self, handle: Handle, notes: Json) -> Mapping[str, str]:
        """The volumes that Cinder's own backups are restored to, as far as they are there."""
        natives = [s.piece for s in handle.pieces if s.piece.mode is Mode.NATIVE]
        try:
            return (
                {p.id: self._work.rebuild.native_target(notes, p) for p in natives} if notes else {}
            )
        except KeyError as error:
            raise BackendError(f"there is no volume to restore {error} to") from None


def _answer(step: rebuild.Step, receipt: Receipt) -> Progress:
    return attrs.evolve(step.progress, receipt=receipt.document())
