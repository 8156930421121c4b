"""The step of a delete in which a job of Freezer removes what is stored."""

from collections.abc import Sequence

import attrs

from karbor_backup_core import Leftover, Progress
from karbor_backup_freezer.agent import actions
from karbor_backup_freezer.agent.compatibility import deletes_data
from karbor_backup_freezer.api.jobs import Job
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_freezer.workflows import placement, submission
from karbor_backup_freezer.workflows.protect_rollback import project_list_leftover
from karbor_backup_freezer.workflows.step import FreezerCall
from karbor_backup_freezer.workflows.steps.job import JobStep


class DeleteJob(JobStep):
    """Has Freezer remove the data of a backup, where it stores any."""

    def _begin(self, call: FreezerCall) -> Progress:
        operation = call.operation
        backup, handle, storage = self._context.load_source(operation)
        self._context.verify_ownership(backup, handle)
        receipt = attrs.evolve(call.receipt, storage=storage.name)
        removals = (
            actions.removal_action(stored.item, handle.location, storage) for stored in handle.items
        )
        job_actions = [action for action in removals if action is not None]
        if not job_actions:
            return receipt.succeeded_progress()
        receipt = attrs.evolve(receipt, doubt=call.is_doubtful)
        if job := submission.find_submitted_job(self._context, call):
            return attrs.evolve(receipt, client=job.client).running_progress()
        scheduler = placement.choose_for_backup(
            self._context.schedulers,
            self._context.requested_scheduler(operation),
            handle,
            storage,
            job_actions,
            operation.id,
        )
        submission.submit_job(self._context, operation, scheduler.client_id, job_actions)
        return attrs.evolve(receipt, client=scheduler.client_id).running_progress()

    def _complete(self, call: FreezerCall, job: Job | None) -> Progress:  # noqa: ARG002 - its status decides
        return call.receipt.succeeded_progress()

    def _is_compound(self, call: FreezerCall) -> bool:  # noqa: ARG002 - for every call
        return False

    def revert(self, call: FreezerCall) -> Progress:
        """Remove the job, and name what is known to stay; nothing brings back what is removed."""
        if call.operation.work_succeeded:
            removed = self._release.remove_after_success(call)
            leftovers = (*removed.leftovers, *self._list_undeleted(call))
            return attrs.evolve(removed, leftovers=leftovers)
        if (waiting := self._release.wait_for_jobs(call)) is not None:
            return waiting
        return call.receipt.succeeded_progress(self._release.remove_jobs(call))

    def _list_undeleted(self, call: FreezerCall) -> Sequence[Leftover]:
        """Name what the removal of a backup is known not to remove."""
        if call.operation.backup is None:
            return []
        handle = self._context.load_handle(call.operation)
        lists = [
            project_list_leftover(StorageKind(handle.kind), handle.container, stored.item.id)
            for stored in handle.items
            if stored.item.mode is Mode.TENANT
        ]
        stored = any(item.item.mode is not Mode.NATIVE for item in handle.items)
        if deletes_data(StorageKind(handle.kind)) or not stored:
            return lists
        note = "Freezer removes nothing from s3: remove its data by hand"
        return [Leftover("container on s3 storage", handle.container, note)]
