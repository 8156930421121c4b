"""The first step of a restore: whether it can come to its end, and who runs its job."""

import attrs

from karbor_backup_core import Progress
from karbor_backup_freezer.api.schedulers import Scheduler
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import Storage
from karbor_backup_freezer.workflows import placement, submission
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep
from karbor_backup_openstack.restore.names import check_names


class PreflightChecks(FreezerStep):
    """Refuses what could not come to its end, or would do damage."""

    name = "preflight"

    def execute(self, call: FreezerCall) -> Progress:
        """Look at the backup, at its target and at who could restore it.

        The guard of a directory looks in the call that creates the job: what is mounted later it
        cannot see.
        """
        if call.step == self.name:
            return call.receipt.succeeded_progress()
        operation = call.operation
        backup, handle, storage = self._context.load_source(operation)
        self._context.verify_ownership(backup, handle)
        check_names(operation, [s.item.resource for s in handle.items], handle.servers)
        receipt = attrs.evolve(call.receipt, storage=storage.name)
        items = [stored.item for stored in handle.items]
        is_directory = operation.resource.type == DIRECTORY
        begun = is_directory and submission.find_submitted_job(self._context, call) is not None
        if begun or not items:
            return receipt.succeeded_progress()
        scheduler = self._choose_scheduler(call, handle, storage)
        receipt = attrs.evolve(receipt, client=scheduler.client_id)
        if is_directory:
            self._context.restore_guard.check(operation, handle, scheduler.hostname, call.own_paths)
            return attrs.evolve(receipt, hostname=scheduler.hostname).succeeded_progress()
        self._context.agent_versions.require_support(scheduler.hostname, items)
        self._context.preflight.check(items, handle.servers, operation.options)
        return receipt.ready_progress()

    def _choose_scheduler(self, call: FreezerCall, handle: Handle, storage: Storage) -> Scheduler:
        operation = call.operation
        return placement.choose_for_backup(
            self._context.schedulers,
            self._context.requested_scheduler(operation),
            handle,
            storage,
            self._context.restore_actions(operation, call.receipt, handle, storage),
            operation.id,
        )
