"""The jobs of all operations of a poll, looked at with as few requests as can be."""

from collections.abc import Sequence

import attrs

from karbor_backup_core import BackendError, Step
from karbor_backup_freezer.api.job_status import ExpectedJob, JobStatusReader
from karbor_backup_freezer.api.jobs import ENDED_STATES, Job, JobState
from karbor_backup_freezer.api.records import list_records_by_job
from karbor_backup_freezer.workflows import reassignment
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.step import FreezerCall
from karbor_backup_freezer.workflows.steps.backup_job import BackupJob
from karbor_backup_freezer.workflows.steps.job import JobStep


@attrs.frozen
class _PollTarget:
    """The job that the step of an operation waits for.

    Attributes:
        call: the operation's.
        job: the id of the job.
        expected: what is known of the job, where only its end is awaited.
        leaves_records: whether its success leaves records that the step needs.
    """

    call: FreezerCall
    job: str
    expected: ExpectedJob | None
    leaves_records: bool


class JobPoller:
    """Looks at the jobs that the steps of a poll wait for, before the steps are asked.

    Args:
        context: Freezer, and where jobs that have ended are remembered.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context
        self._status_reader = JobStatusReader(context.client)
        self._targets: dict[str, _PollTarget | None] = {}
        self._taken: set[str] = set()

    def observe(self, asked: Sequence[tuple[FreezerCall, Sequence[Step[FreezerCall]]]]) -> None:
        """Look at the jobs of these calls, and note each in ``FreezerCall.jobs``.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        self._targets = {call.operation.id: self._find_target(call, steps) for call, steps in asked}
        targets = self._recheck_overdue([t for t in self._targets.values() if t is not None])
        snapshot = self._status_reader.read_status({t.job: t.expected for t in targets})
        succeeded = {
            target.job
            for target in targets
            if target.leaves_records
            and (job := snapshot.jobs.get(target.job)) is not None
            and job.state is JobState.SUCCEEDED
        }
        records = snapshot.records | list_records_by_job(
            self._context.client, succeeded - snapshot.records.keys()
        )
        for job in snapshot.jobs.values():
            if job.picked_up:
                self._taken.add(job.id)
            if job.state in ENDED_STATES:
                self._context.finished_jobs.put(job, records.get(job.id, ()))
        for target in targets:
            target.call.jobs[target.job] = _as_seen(target, snapshot.jobs.get(target.job))

    def _find_target(
        self, call: FreezerCall, steps: Sequence[Step[FreezerCall]]
    ) -> _PollTarget | None:
        """Find out which job is waited for; what has not changed since the last poll is known."""
        known = self._targets.get(call.operation.id)
        if known is not None and known.call is call:
            return known
        step = next((step for step in steps if isinstance(step, JobStep)), None)
        try:
            job = "" if step is None else step.awaited_job_id(call)
            if step is None or not job:
                return None
            leaves_records = isinstance(step, BackupJob) and call.operation.outcome is None
            return _PollTarget(call, job, step.expected_job(call), leaves_records)
        except BackendError:
            # The step says so itself.
            return None

    def _recheck_overdue(self, targets: Sequence[_PollTarget]) -> Sequence[_PollTarget]:
        """Have jobs looked at themselves that should have been taken up, until they were."""
        self._taken &= {target.job for target in targets}
        return [
            attrs.evolve(target, expected=None)
            if target.expected is not None
            and target.job not in self._taken
            and reassignment.is_overdue(target.call.operation)
            else target
            for target in targets
        ]


def _as_seen(target: _PollTarget, job: Job | None) -> Job | None:
    """Return what a poll tells a step of a job.

    Nothing tells whether a job whose end is looked for in the records has been taken up. It was, or
    is not overdue: so it goes on.
    """
    if target.expected is None or job is None or job.state is not JobState.WAITING:
        return job
    return attrs.evolve(job, state=JobState.RUNNING)
