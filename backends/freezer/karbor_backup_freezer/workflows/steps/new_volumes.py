"""The step of a restore that makes the volumes into which its job restores."""

from collections.abc import Sequence

import attrs

from karbor_backup_core import InvalidInput, Leftover, Operation, Progress, ProgressState
from karbor_backup_freezer.api.jobs import placeholder_document
from karbor_backup_freezer.model.ids import PREPARE, job_id
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.restore import makes_volumes
from karbor_backup_freezer.workflows import submission
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.job_release import JobRelease
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep


class NewVolumes(FreezerStep):
    """Makes a volume for each of Cinder's own backups.

    Args:
        context: what the steps need.
    """

    name = "prepare"

    def __init__(self, context: WorkflowContext) -> None:
        super().__init__(context)
        self._release = JobRelease(context)

    def execute(self, call: FreezerCall) -> Progress:
        """Make the volumes, and wait for them."""
        operation, receipt = call.operation, call.receipt
        if operation.resource.type == DIRECTORY:
            return receipt.succeeded_progress()
        handle = self._context.load_handle(operation)
        if call.step != self.name and makes_volumes(operation, handle):
            # It is there until the release, so that whoever comes late sees that it is over.
            fence = placeholder_document(job_id(operation.id, PREPARE), receipt.client)
            submission.create(self._context.client, fence)
        prepared = self._context.restorer.prepare(operation, handle, receipt.notes)
        updated = attrs.evolve(receipt, notes=prepared.restore_state)
        if prepared.progress.state is ProgressState.READY:
            return updated.succeeded_progress()
        return attrs.evolve(prepared.progress, receipt=updated.to_document())

    def status(self, call: FreezerCall) -> Progress:
        """Return whether Cinder still makes them."""
        if call.step != self.name or call.operation.outcome is not None:
            return Progress(ProgressState.UNKNOWN)
        return self._context.restorer.check_pending(call.receipt.notes)

    def revert(self, call: FreezerCall) -> Progress:
        """Remove the job that shows that the restore goes on, then look for what came late.

        All that a restore makes bears its marks, and is removed by ``Rebuild``. What a request that
        came late has made since is found here: from now on such a request sees that it is late.
        """
        operation = call.operation
        if operation.resource.type == DIRECTORY:
            return Progress(ProgressState.SUCCEEDED)
        leftovers = self._remove_fence(call)
        may_come_late = operation.fence > 1 or call.is_doubtful
        if not may_come_late:
            return call.receipt.succeeded_progress(leftovers)
        if operation.work_succeeded:
            handle, notes = self._context.load_handle(operation), call.receipt.notes
            surplus = self._context.restorer.surplus(operation, handle, notes)
            return call.receipt.succeeded_progress((*leftovers, *surplus))
        undone = self._release.roll_back_restore(call)
        return attrs.evolve(undone, leftovers=(*leftovers, *undone.leftovers))

    def _remove_fence(self, call: FreezerCall) -> Sequence[Leftover]:
        operation = call.operation
        if not self._makes_volumes(operation):
            return ()
        identifier = job_id(operation.id, PREPARE)
        if operation.work_succeeded:
            return self._release.delete_jobs(call, [identifier])
        return self._release.delete_or_retire(call, identifier)

    def _makes_volumes(self, operation: Operation) -> bool:
        try:
            return makes_volumes(operation, self._context.load_handle(operation))
        except InvalidInput:
            # A backup that cannot be read was refused before anything was made of it.
            return False
