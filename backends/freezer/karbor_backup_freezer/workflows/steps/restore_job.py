"""The step of a restore in which jobs of Freezer bring the data back."""

from collections.abc import Sequence

import attrs

from karbor_backup_core import (
    Check,
    InvalidInput,
    Leftover,
    Progress,
    ProgressState,
    Resource,
)
from karbor_backup_freezer.agent.escaping import unescape
from karbor_backup_freezer.api.jobs import COMPLETED_STATES, Job, JobState
from karbor_backup_freezer.directories.hosts import is_local_host
from karbor_backup_freezer.directories.ownership import ownership_checks
from karbor_backup_freezer.directories.restored_contents import (
    restored_contents_check,
    unknown_contents,
)
from karbor_backup_freezer.inspection.archive_reads import ReadInProgress
from karbor_backup_freezer.model.ids import job_id, parse_item_index, work_step
from karbor_backup_freezer.model.resource_types import DIRECTORY, restore_path
from karbor_backup_freezer.workflows import submission
from karbor_backup_freezer.workflows.step import FreezerCall
from karbor_backup_freezer.workflows.steps.job import JobStep
from karbor_backup_openstack.resource_types import PROJECT


class RestoreJob(JobStep):
    """Has Freezer restore; of a project, what a failed job has not tried with a further job."""

    def _begin(self, call: FreezerCall) -> Progress:
        operation, receipt = call.operation, call.receipt
        _, handle, storage = self._context.load_source(operation)
        if not handle.items:
            return receipt.succeeded_progress()
        if (begun := self._find_begun(call)) is not None:
            return begun
        job_actions = self._context.restore_actions(operation, receipt, handle, storage)
        submission.submit_job(self._context, operation, receipt.client, job_actions)
        return attrs.evolve(receipt, doubt=call.is_doubtful).running_progress()

    def _complete(self, call: FreezerCall, job: Job | None) -> Progress:
        if call.operation.resource.type == PROJECT:
            return self._submit_next_job(call, job)
        return call.receipt.succeeded_progress()

    def _submit_next_job(self, call: FreezerCall, last: Job | None) -> Progress:
        """Create another job for the members that the last one has not tried.

        Its first action was tried for sure. Beyond that one the agent has got as far as it has
        left anything; what left nothing is tried again, as the first one of the next job.
        """
        operation, receipt = call.operation, call.receipt
        step = work_step(receipt.jobs + 1)
        updated = attrs.evolve(receipt, jobs=receipt.jobs + 1, doubt=call.is_doubtful)
        if job := submission.find_submitted_job(self._context, call, step):
            return attrs.evolve(updated, client=job.client).running_progress()
        if last is None or last.state is not JobState.FAILED:
            return receipt.succeeded_progress()
        _, handle, storage = self._context.load_source(operation)
        first = parse_item_index(last.get_field("temp_resource_prefix"))
        reached = self._context.restorer.find_attempted_items(operation, handle)
        untried = max([first, *reached]) + 1
        job_actions = self._context.restore_actions(operation, receipt, handle, storage)[untried:]
        if not job_actions:
            return receipt.succeeded_progress()
        submission.submit_job(self._context, operation, receipt.client, job_actions, step)
        return updated.running_progress()

    def _later_job_id(self, call: FreezerCall) -> str:
        if call.operation.resource.type != PROJECT:
            return ""
        return job_id(call.operation.id, work_step(call.receipt.jobs + 1))

    def _success_status(self, call: FreezerCall) -> Progress:
        """Return the end of a directory's restore; resources of the cloud are yet to be made."""
        operation, receipt = call.operation, call.receipt
        if operation.resource.type != DIRECTORY:
            return Progress(ProgressState.READY)
        path = restore_path(operation.resource, operation.options)
        restored = Resource(DIRECTORY, path, operation.options.get("restore_name", ""))
        try:
            compared = self._compare_restored(call, path)
        except ReadInProgress as still:
            done, total = still.progress.done, still.progress.total
            return Progress(ProgressState.RUNNING, done=done, total=total, unit="bytes")
        checks = (*ownership_checks(receipt.client, receipt.hostname), compared)
        return Progress(ProgressState.SUCCEEDED, resources=(restored,), checks=checks)

    def _compare_restored(self, call: FreezerCall, path: str) -> Check:
        """Compare a restored directory with its archive; what has succeeded stays a success."""
        if call.operation.cancel_sent:
            return unknown_contents("the restore was to stop")
        try:
            _, handle, storage = self._context.load_source(call.operation)
        except InvalidInput as error:
            return unknown_contents(str(error))
        (stored,) = handle.items
        return restored_contents_check(
            self._context.inspector, storage, handle.location, stored, path, call.receipt.hostname
        )

    def _is_compound(self, call: FreezerCall) -> bool:
        return len(self._context.load_handle(call.operation).items) > 1

    def _failure_hint(self, call: FreezerCall, job: Job) -> str:
        operation = call.operation
        if operation.resource.type != DIRECTORY or operation.options.get("overwrite", False):
            return ""
        if is_local_host(job.get_field("hostname")):
            # On this host the guard has seen that it is empty.
            return ""
        return "; a directory that is not empty needs the option 'overwrite'"

    def _list_pending(self, call: FreezerCall) -> tuple[Leftover, ...]:
        if call.operation.resource.type == DIRECTORY or call.receipt.notes:
            # What a rebuild has noted is looked at by its own step.
            return ()
        return self._context.temporary_resources.list_pending(job_id(call.operation.id))

    def _list_unfinished(self, call: FreezerCall) -> tuple[Leftover, ...]:
        operation = call.operation
        handle = self._context.load_handle(operation)
        unproven = self._context.restorer.find_unproven_volumes(operation, handle)
        return (*super()._list_unfinished(call), *unproven)

    def revert(self, call: FreezerCall) -> Progress:
        """Remove the jobs; nothing brings back what they have written over."""
        if call.operation.work_succeeded:
            return self._release.remove_after_success(call)
        if (waiting := self._release.wait_for_jobs(call)) is not None:
            return waiting
        written = _partial_restore(call, self._release.find_jobs(call)[0])
        return call.receipt.succeeded_progress((*written, *self._release.remove_jobs(call)))


def _partial_restore(call: FreezerCall, job: Job | None) -> Sequence[Leftover]:
    """Name what the restore of a directory may have written before it failed."""
    resource = call.operation.resource
    if resource.type != DIRECTORY or job is None or job.state not in COMPLETED_STATES:
        return []
    path = unescape(job.get_field("restore_abs_path"))
    note = "the restore may have written to it"
    return [Leftover(resource.type, path or resource.id, note)]
