"""Delete: the job that removes what is stored, Cinder's own backups, and Freezer's records."""

import attrs

from karbor_backup_core import Operation, Progress, ProgressState
from karbor_backup_freezer.agent import actions
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.receipt import Receipt, StepName
from karbor_backup_freezer.model.storages import Storage
from karbor_backup_freezer.workflows import placement, reassignment, submission
from karbor_backup_freezer.workflows.context import WorkflowContext


class Delete:
    """The steps of a delete.

    Args:
        context: what the steps need.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context

    def execute(self, operation: Operation) -> Progress:
        """Take the step that is next.

        Raises:
            InvalidInput: it cannot be done as asked.
            Transient: a repeat may help.
            BackendError: a repeat would not.
        """
        receipt = Receipt.from_operation(operation)
        backup, handle, storage = self._context.load_source(operation)
        updated = attrs.evolve(receipt, storage=storage.name)
        if receipt.step is StepName.NONE:
            self._context.verify_ownership(backup, handle)
            return self._submit_job(operation, updated, handle, storage)
        if (
            moved := reassignment.advance_current_job(self._context, operation, updated)
        ) is not None:
            return moved
        return self._remove_native_backups(operation, updated, handle)

    def _submit_job(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        removals = (
            actions.removal_action(stored.piece, handle.location, storage)
            for stored in handle.pieces
        )
        job_actions = [action for action in removals if action is not None]
        if not job_actions:
            return self._remove_native_backups(operation, receipt, handle)
        updated = attrs.evolve(receipt, step=StepName.JOB, doubt=operation.attempt > 1)
        if job := submission.find_submitted_job(self._context, operation):
            return attrs.evolve(updated, client=job.client).running_progress()
        scheduler = placement.choose_for_backup(
            self._context.schedulers,
            self._context.requested_scheduler(operation),
            handle,
            storage,
            job_actions,
            operation.id,
        )
        submission.submit_job(self._context, operation, scheduler.client_id, job_actions)
        return attrs.evolve(updated, client=scheduler.client_id).running_progress()

    def _remove_native_backups(
        self, operation: Operation, receipt: Receipt, handle: Handle
    ) -> Progress:
        """Have Cinder remove its own backups, those only; the records go last."""
        native_backups = {
            stored.native: stored.piece.id for stored in handle.pieces if stored.native
        }
        removal = self._context.native_backups.remove_backups(native_backups, operation.backup_id)
        if removal.pending:
            return attrs.evolve(receipt, step=StepName.NATIVE).running_progress()
        if removal.leftovers:
            reason = "; ".join(left.note for left in removal.leftovers)
            return Progress(ProgressState.FAILED, reason=reason, leftovers=removal.leftovers)
        for stored in handle.pieces:
            self._context.client.delete_entry("backups", stored.record)
        return Progress(ProgressState.SUCCEEDED)
