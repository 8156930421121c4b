"""Removal of an operation's jobs, by the steps that have created them.

The job that did the work goes last, since all the rest is found by it after a crash.
"""

import time
from collections.abc import Mapping, Sequence

import attrs

from karbor_backup_core import InvalidInput, Leftover, Operation, Progress, Verb
from karbor_backup_freezer.api.cleanup import FreezerCleanup
from karbor_backup_freezer.api.jobs import ENDED_STATES, STOP_GRACE, Job, JobState
from karbor_backup_freezer.model.ids import job_id, work_step
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.step import FreezerCall
from karbor_backup_freezer.workflows.submission import find_job
from karbor_backup_openstack.resource_types import PROJECT


class JobRelease:
    """Waits for jobs that may still do something, and removes them.

    Every method raises ``Transient`` where a repeat may help, and ``BackendError`` where Freezer
    refuses to tell.

    Args:
        context: Freezer and the cloud.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context
        self._client = context.client
        self._cleanup = FreezerCleanup(context.client)

    def find_jobs(self, call: FreezerCall) -> Sequence[Job | None]:
        """Return the jobs that an operation's work may have, the first one first.

        A reply may have been lost, or the request for the next one be on its way.
        """
        return [*self._find_jobs_by_id(call).values()]

    def wait_for_jobs(self, call: FreezerCall) -> Progress | None:
        """Return running while a job may still do something; None when all are sure not to.

        What is to be reverted is known for sure only then.
        """
        for job in self.find_jobs(call):
            waiting = job is not None and job.state not in ENDED_STATES
            if job is not None and waiting and (running := self._wait_for_job(call, job)):
                return running
        return None

    def remove_jobs(self, call: FreezerCall) -> Sequence[Leftover]:
        """Remove the jobs of an operation that did not succeed, and use up unused ids."""
        found = self._find_jobs_by_id(call)
        # Before the sweep: from here on nothing that comes late can make anything.
        unused = [identifier for identifier, job in found.items() if job is None]
        retired = [left for identifier in unused for left in self._retire(call, identifier)]
        strays = self._delete_stray_actions(call.operation)
        jobs = [job for job in found.values() if job is not None]
        deleted = [left for job in reversed(jobs) for left in self._cleanup.delete_job(job)]
        return [*retired, *strays, *deleted]

    def remove_after_success(self, call: FreezerCall) -> Progress:
        """Remove the jobs of an operation that succeeded, and the agent's temporary things."""
        operation = call.operation
        leftovers: list[Leftover] = []
        if operation.verb is not Verb.DELETE and operation.resource.type != DIRECTORY:
            # The agent asks for the removal of its temporary things and does not wait for it.
            temporary = self._context.temporary_resources.remove_for_job(job_id(operation.id))
            if temporary.pending:
                running = call.receipt.running_progress()
                return attrs.evolve(running, leftovers=temporary.pending)
            leftovers += temporary.leftovers
        identifiers = _work_job_ids(operation, call.receipt.jobs)
        leftovers += self.delete_jobs(call, [*reversed(identifiers)])
        if call.is_doubtful:
            leftovers += self._delete_stray_actions(operation)
        return call.receipt.succeeded_progress(leftovers)

    def delete_jobs(self, call: FreezerCall, identifiers: Sequence[str]) -> Sequence[Leftover]:
        """Delete jobs that have ended, as far as Freezer has them."""
        jobs = [
            self._context.finished_jobs.pop(identifier) or find_job(self._context, call, identifier)
            for identifier in identifiers
        ]
        return [left for job in jobs if job is not None for left in self._cleanup.delete_job(job)]

    def delete_or_retire(self, call: FreezerCall, identifier: str) -> Sequence[Leftover]:
        """Delete a job that does nothing, or use up its id if it was never created."""
        job = find_job(self._context, call, identifier)
        return self._retire(call, identifier) if job is None else self._cleanup.delete_job(job)

    def roll_back_restore(self, call: FreezerCall) -> Progress:
        """Remove what a restore of cloud resources made that did not succeed."""
        operation, receipt = call.operation, call.receipt
        if not call.step or operation.backup is None:
            return receipt.succeeded_progress()
        handle = self._context.load_handle(operation)
        undone = self._context.restorer.roll_back(operation, handle, receipt.notes)
        updated = attrs.evolve(receipt, notes=undone.restore_state)
        return attrs.evolve(undone.progress, receipt=updated.to_document())

    def _find_jobs_by_id(self, call: FreezerCall) -> Mapping[str, Job | None]:
        first, *others = _work_job_ids(call.operation, call.receipt.jobs + 1)
        if first not in call.jobs and find_job(self._context, call, first) is None:
            # A single "not found" is not believed, since much depends on it.
            listed = self._client.search("jobs", "job_id", first)
            call.jobs[first] = Job.from_document(listed[0]) if listed else None
        return {each: find_job(self._context, call, each) for each in (first, *others)}

    def _wait_for_job(self, call: FreezerCall, job: Job) -> Progress | None:
        receipt = call.receipt
        if job.state is JobState.WAITING:
            self._client.stop_job(job.id)
        if job.state is not JobState.HALTED:
            return receipt.running_progress()
        if not receipt.settles_at:
            return attrs.evolve(receipt, settles_at=time.time() + STOP_GRACE).running_progress()
        return None if time.time() >= receipt.settles_at else receipt.running_progress()

    def _retire(self, call: FreezerCall, identifier: str) -> Sequence[Leftover]:
        # Its own scheduler goes first: another one would be asked to look at a job that is not its.
        own = (call.receipt.client, self._context.requested_scheduler(call.operation))
        known = [scheduler.client_id for scheduler in self._context.schedulers.list_all()]
        return self._cleanup.retire(identifier, sorted(known, key=lambda client: client not in own))

    def _delete_stray_actions(self, operation: Operation) -> Sequence[Leftover]:
        try:
            return self._cleanup.delete_stray_actions(self._context.get_container(operation))
        except InvalidInput:
            # Without a container nothing can have been created.
            return []


def _work_job_ids(operation: Operation, later: int) -> Sequence[str]:
    """Return the ids of an operation's jobs, of which a project's restore has several."""
    steps = [work_step(0)]
    if operation.verb is Verb.RESTORE and operation.resource.type == PROJECT:
        steps += [work_step(number) for number in range(1, later + 1)]
    return [job_id(operation.id, step) for step in steps]
