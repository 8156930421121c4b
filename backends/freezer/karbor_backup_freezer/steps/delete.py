"""Delete: the job that removes what is stored, Cinder's own backups, and Freezer's records."""

import attrs

from karbor_backup_core import Operation, Progress, ProgressState
from karbor_backup_freezer import actions, placement
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.steps import handover, jobs
from karbor_backup_freezer.steps.work import Work
from karbor_backup_freezer.storages import Storage


class Delete:
    """The steps of a delete.

    Args:
        work: what the steps need.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    def step(self, operation: Operation) -> Progress:
        """Take the step that is next.

        Raises:
            InvalidInput: it cannot be done as asked.
            Transient: a repeat may help.
            BackendError: a repeat would not.
        """
        receipt = Receipt.of(operation)
        backup, handle, storage = self._work.source(operation)
        noted = attrs.evolve(receipt, storage=storage.name)
        if receipt.step is Step.NONE:
            self._work.prove(backup, handle)
            return self._begin(operation, noted, handle, storage)
        if (moved := handover.advance_job(self._work, operation, noted)) is not None:
            return moved
        return self._remove_natives(operation, noted, handle)

    def _begin(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        removals = (
            actions.removal_action(stored.piece, handle.place, storage) for stored in handle.pieces
        )
        orders = [action for action in removals if action is not None]
        if not orders:
            return self._remove_natives(operation, receipt, handle)
        noted = attrs.evolve(receipt, step=Step.JOB, doubt=operation.attempt > 1)
        if job := jobs.begun(self._work, operation):
            return attrs.evolve(noted, client=job.client).running()
        scheduler = placement.for_backup(
            self._work.schedulers,
            self._work.scheduler_named(operation),
            handle,
            storage,
            orders,
            operation.id,
        )
        jobs.begin(self._work, operation, scheduler.client_id, orders)
        return attrs.evolve(noted, client=scheduler.client_id).running()

    def _remove_natives(self, operation: Operation, receipt: Receipt, handle: Handle) -> Progress:
        """Have Cinder remove its own backups, those only; the records go last."""
        natives = {stored.native: stored.piece.id for stored in handle.pieces if stored.native}
        removal = self._work.natives.remove(natives, operation.backup_id)
        if removal.waiting:
            return attrs.evolve(receipt, step=Step.NATIVE).running()
        if removal.stuck:
            reason = "; ".join(left.note for left in removal.stuck)
            return Progress(ProgressState.FAILED, reason=reason, leftovers=removal.stuck)
        for stored in handle.pieces:
            self._work.client.delete("backups", stored.record)
        return Progress(ProgressState.SUCCEEDED)
