"""The step of a protect in which a job of Freezer stores the data."""

import attrs

from karbor_backup_core import (
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    State,
)
from karbor_backup_freezer.agent.actions import native_backup_name
from karbor_backup_freezer.agent.versions import describe_agent_limit
from karbor_backup_freezer.api.job_status import ExpectedJob
from karbor_backup_freezer.api.jobs import ENDED_STATES, Job, JobState
from karbor_backup_freezer.api.records import list_job_records
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.workflows import results, submission
from karbor_backup_freezer.workflows.context import WorkflowContext, get_discovery_result
from karbor_backup_freezer.workflows.protect_rollback import ProtectRollback
from karbor_backup_freezer.workflows.step import FreezerCall
from karbor_backup_freezer.workflows.steps.job import JobStep
from karbor_backup_openstack.native_backups import NativeBackupState, name_busy_backups


class BackupJob(JobStep):
    """Has Freezer store the data, and sees what it has recorded.

    Args:
        context: what the steps need.
    """

    def __init__(self, context: WorkflowContext) -> None:
        super().__init__(context)
        self._rollback = ProtectRollback(context)

    def _begin(self, call: FreezerCall) -> Progress:
        """Create the job on the scheduler that the discovery has found."""
        operation, receipt = call.operation, call.receipt
        discovery = get_discovery_result(operation)
        if not discovery.items:
            return receipt.succeeded_progress()
        if (begun := self._find_begun(call)) is not None:
            return begun
        storage = self._context.get_storage(operation, receipt)
        job_actions = self._context.backup_actions(operation, discovery, storage, receipt.hostname)
        submission.submit_job(self._context, operation, receipt.client, job_actions)
        return attrs.evolve(receipt, doubt=call.is_doubtful).running_progress()

    def _complete(self, call: FreezerCall, job: Job | None) -> Progress:
        """See what Freezer has recorded, which the steps that follow work on."""
        discovery = get_discovery_result(call.operation)
        if job is None:
            reason = f"job {job_id(call.operation.id)} is gone from Freezer"
            return Progress(ProgressState.FAILED, reason=reason)
        _, seen = self._context.finished_jobs.get(job.id)
        records = results.match_records(discovery, seen)
        limit = ""
        if None in records:
            found = list_job_records(self._context.client, job.id)
            records = results.match_records(discovery, found)
            limit = describe_agent_limit(results.agent_field(found, "client_version"))
        if job.state is not JobState.SUCCEEDED or None in records:
            return results.incomplete_result(discovery, records, job, limit)
        return attrs.evolve(
            call.receipt,
            doubt=call.is_doubtful,
            # A scheduler may not have told its host's name; what counts is what the agent used.
            hostname=results.agent_field(records, "hostname") or call.receipt.hostname,
            agent_version=results.agent_field(records, "client_version"),
            records=results.compact_records(records),
        ).succeeded_progress()

    def expected_job(self, call: FreezerCall) -> ExpectedJob | None:
        """Return what is known of the job while nothing but its end is waited for."""
        operation, receipt = call.operation, call.receipt
        begun = operation.state is State.RUNNING and call.step == self.name and not receipt.doubt
        to_stop = operation.cancel_requested or operation.cancel_sent
        if operation.outcome is not None or not begun or to_stop or receipt.settles_at:
            return None
        if any(item.mode is Mode.NATIVE for item in get_discovery_result(operation).items):
            # Freezer records these before they are done.
            return None
        try:
            container = self._context.get_container(operation)
        except InvalidInput:
            # It is said when it matters: when the job has ended.
            return None
        return ExpectedJob(receipt.client, container)

    def _is_compound(self, call: FreezerCall) -> bool:
        return len(get_discovery_result(call.operation).items) > 1

    def _list_pending(self, call: FreezerCall) -> tuple[Leftover, ...]:
        operation = call.operation
        if operation.resource.type == DIRECTORY:
            return ()
        natives = self._context.native_backups
        ids = {
            native
            for item in get_discovery_result(operation).items
            if item.mode is Mode.NATIVE
            for native in natives.find_by_name(native_backup_name(operation), item.id)
        }
        busy = (NativeBackupState.RUNNING, NativeBackupState.DELETING)
        return (
            *self._context.temporary_resources.list_pending(job_id(operation.id)),
            *name_busy_backups(natives, ids, *busy),
        )

    def revert(self, call: FreezerCall) -> Progress:
        """Remove the job; after anything but a success also all that it has stored and made.

        Cinder's own backups are among that: the agent has Cinder make them.
        """
        operation: Operation = call.operation
        if operation.work_succeeded:
            return self._release.remove_after_success(call)
        if (waiting := self._release.wait_for_jobs(call)) is not None:
            return waiting
        job = self._release.find_jobs(call)[0]
        if job is None:
            lost = self._describe_lost_job(call)
            return call.receipt.succeeded_progress((*lost, *self._release.remove_jobs(call)))
        if job.state not in ENDED_STATES:
            return call.receipt.succeeded_progress(self._release.remove_jobs(call))
        undone = self._rollback.roll_back(operation, job)
        if undone.state is ProgressState.RUNNING:
            return undone
        leftovers = (*undone.leftovers, *self._release.remove_jobs(call))
        return attrs.evolve(undone, leftovers=leftovers)

    def _describe_lost_job(self, call: FreezerCall) -> tuple[Leftover, ...]:
        """Name what may be left if somebody has deleted the job from Freezer.

        Its agent, if one ran, goes on to its end, and no removal could know when that is.
        """
        receipt = call.receipt
        was_begun = call.step == self.name or bool(receipt.records)
        if receipt.removal or receipt.settles_at or not was_begun:
            return ()
        note = (
            f"its job {job_id(call.operation.id)} is gone from Freezer; an agent that ran has "
            "stored data and a record all the same"
        )
        return (Leftover("container", self._context.get_container(call.operation), note),)
