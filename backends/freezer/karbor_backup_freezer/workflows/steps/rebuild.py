"""The last step of a restore: resources of the cloud, made of what its job has brought back."""

import attrs

from karbor_backup_core import Progress, ProgressState
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.job_release import JobRelease
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep


class Rebuild(FreezerStep):
    """Finds what the agent brought back, completes and names it, and makes servers of it.

    Args:
        context: what the steps need.
    """

    name = "rebuild"

    def __init__(self, context: WorkflowContext) -> None:
        super().__init__(context)
        self._release = JobRelease(context)

    def execute(self, call: FreezerCall) -> Progress:
        """Do what can be done now; the last call names all that was restored."""
        handle = self._context.load_handle(call.operation)
        rebuilt = self._context.restorer.advance(call.operation, handle, call.receipt.notes)
        receipt = attrs.evolve(call.receipt, notes=rebuilt.restore_state)
        return attrs.evolve(rebuilt.progress, receipt=receipt.to_document())

    def status(self, call: FreezerCall) -> Progress:
        """Return whether the cloud still works on what was made, or on its removal."""
        operation = call.operation
        reached = operation.outcome is not None or call.step == self.name
        if operation.resource.type == DIRECTORY or not reached:
            return Progress(ProgressState.UNKNOWN)
        return self._context.restorer.check_pending(call.receipt.notes)

    def revert(self, call: FreezerCall) -> Progress:
        """Remove what the restore has made, unless it succeeded, once its jobs have ended."""
        operation = call.operation
        if operation.resource.type == DIRECTORY:
            return Progress(ProgressState.SUCCEEDED)
        if operation.work_succeeded:
            # What a rebuild could not remove on its way stays named.
            return call.receipt.succeeded_progress(operation.leftovers)
        if (waiting := self._release.wait_for_jobs(call)) is not None:
            return waiting
        return self._release.roll_back_restore(call)
