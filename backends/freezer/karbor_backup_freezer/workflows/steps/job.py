"""The step of a verb in which a job of Freezer does the work."""

import abc
import time

import attrs

from karbor_backup_core import (
    BackendError,
    Leftover,
    Progress,
    ProgressState,
    State,
)
from karbor_backup_freezer.api.job_status import ExpectedJob
from karbor_backup_freezer.api.jobs import ENDED_STATES, Job, JobState
from karbor_backup_freezer.model.ids import job_id, removal_step, work_step
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.workflows import reassignment, submission
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.job_release import JobRelease
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep


class JobStep(FreezerStep, abc.ABC):
    """Creates a job once, has another scheduler run it where nobody takes it up, and removes it.

    Args:
        context: what the steps need.
    """

    name = "job"

    def __init__(self, context: WorkflowContext) -> None:
        super().__init__(context)
        self._release = JobRelease(context)

    def execute(self, call: FreezerCall) -> Progress:
        """Create the job, or do what is next when its work has ended or nobody takes it up."""
        if call.step != self.name:
            return self._begin(call)
        job = submission.get_finished_job(self._context, call, work_step(call.receipt.jobs))
        moved = reassignment.advance_reassignment(self._context, call.operation, call.receipt, job)
        return self._complete(call, job) if moved is None else moved

    @abc.abstractmethod
    def _begin(self, call: FreezerCall) -> Progress:
        """Create the job, or find it where an earlier attempt has created it."""

    def _find_begun(self, call: FreezerCall) -> Progress | None:
        """Return the progress of a job that an earlier attempt has created, None without one."""
        job = submission.find_submitted_job(self._context, call)
        if job is None:
            return None
        return attrs.evolve(
            call.receipt, client=job.client, doubt=call.is_doubtful
        ).running_progress()

    @abc.abstractmethod
    def _complete(self, call: FreezerCall, job: Job | None) -> Progress:
        """Do what follows the end of the job; None where Freezer has it no more."""

    def awaited_job_id(self, call: FreezerCall) -> str:
        """Return the id of the job that tells the status of this step, empty for none.

        Raises:
            BackendError: the receipt cannot be read.
        """
        operation, receipt = call.operation, call.receipt
        if operation.state is State.RELEASING and receipt.removal:
            return job_id(operation.id, removal_step(receipt.removal))
        if _is_continuing(call):
            # The job had ended before the call that is out.
            return self._later_job_id(call)
        return job_id(operation.id, work_step(receipt.jobs))

    def expected_job(self, call: FreezerCall) -> ExpectedJob | None:  # noqa: ARG002 - see BackupJob
        """Return what is known of a job that is sure to be there, where only its end counts."""
        return None

    def _later_job_id(self, call: FreezerCall) -> str:  # noqa: ARG002 - see RestoreJob
        """Return the id of a job that a call which continues this step may have created."""
        return ""

    def status(self, call: FreezerCall) -> Progress:
        """Return how the job stands, as the poll has seen it."""
        identifier = self.awaited_job_id(call)
        job = call.jobs.get(identifier)
        if call.operation.outcome is not None:
            return self._release_status(call, job)
        if not identifier:
            return Progress(ProgressState.READY)
        return Progress(ProgressState.UNKNOWN) if job is None else self._job_status(call, job)

    def cancel(self, call: FreezerCall) -> bool:
        """Ask the scheduler not to start the job, if it has not started yet.

        Freezer 19.0.0 cannot stop an agent that runs: ``abort`` does nothing, and on a job that
        has no process yet it stops its scheduler's polling for all jobs.
        """
        present = job_id(call.operation.id, work_step(call.receipt.jobs))
        document = self._context.client.get_job(present)
        if document is None or Job.from_document(document).state is not JobState.WAITING:
            return False
        self._context.client.stop_job(document["job_id"])
        return True

    def _job_status(self, call: FreezerCall, job: Job) -> Progress:
        operation = call.operation
        match job.state:
            case JobState.SUCCEEDED:
                return self._success_status(call)
            case JobState.FAILED if self._is_compound(call):
                # What became of each member is told by the next step.
                return Progress(ProgressState.READY)
            case JobState.FAILED:
                reason = _failure_reason(job, self._failure_hint(call, job))
                return Progress(ProgressState.FAILED, reason=reason)
            case JobState.STOPPED | JobState.HALTED if operation.cancel_sent:
                untaken = reassignment.describe_untaken_job(operation, job)
                reason = "" if operation.cancel_requested else untaken
                return Progress(ProgressState.CANCELLED, reason=reason)
            case JobState.STOPPED if not call.receipt.settles_at:
                reason = f"job {job.id} was stopped in Freezer by somebody"
                return Progress(ProgressState.FAILED, reason=reason)
            case JobState.WAITING | JobState.RUNNING if operation.cancel_sent:
                return self._stopping_status(call, job)
            case _:
                return self._pickup_status(call, job)

    def _pickup_status(self, call: FreezerCall, job: Job) -> Progress:
        movable = call.step == self.name
        return reassignment.get_pickup_status(self._context, call.operation, job, movable=movable)

    def _success_status(self, call: FreezerCall) -> Progress:  # noqa: ARG002 - see RestoreJob
        return Progress(ProgressState.READY)

    @abc.abstractmethod
    def _is_compound(self, call: FreezerCall) -> bool:
        """Whether a job that failed may have done its work for some members."""

    def _failure_hint(self, call: FreezerCall, job: Job) -> str:  # noqa: ARG002 - see RestoreJob
        """Return what a failure often is, as the end of a sentence."""
        return ""

    def _release_status(self, call: FreezerCall, job: Job | None) -> Progress:
        """Return whether the release may go on."""
        if job is None or job.state in ENDED_STATES:
            pending = self._list_pending(call)
            state = ProgressState.RUNNING if pending else ProgressState.READY
            return Progress(state, leftovers=pending)
        if job.state is JobState.HALTED and time.time() >= call.receipt.settles_at:
            return Progress(ProgressState.READY)
        return self._stopping_status(call, job)

    def _list_pending(self, call: FreezerCall) -> tuple[Leftover, ...]:  # noqa: ARG002 - overridden
        """Name what the cloud still works on of all that the release removes."""
        return ()

    def _stopping_status(self, call: FreezerCall, job: Job) -> Progress:
        """Return running for work that is to stop, with what is left should it never end."""
        note = (
            f"scheduler {job.client} has not ended it: see what its freezer-agent does, "
            "then delete the job"
        )
        leftovers: tuple[Leftover, ...] = (Leftover("Freezer job", job.id, note),)
        if call.operation.resource.type != DIRECTORY:
            try:
                leftovers += self._list_unfinished(call)
            except BackendError as error:
                unseen = Leftover("temporary things in the cloud", job.id, str(error))
                leftovers += (unseen,)
        reason = reassignment.describe_untaken_job(call.operation, job)
        return Progress(ProgressState.RUNNING, reason=reason, leftovers=leftovers)

    def _list_unfinished(self, call: FreezerCall) -> tuple[Leftover, ...]:
        """Name what the job has made in the cloud so far."""
        identifier = job_id(call.operation.id)
        return self._context.temporary_resources.list_leftovers(identifier)


def _is_continuing(call: FreezerCall) -> bool:
    """Whether a call is out that continues a job step whose job has ended."""
    undecided = call.operation.outcome is None and call.operation.state is State.SUBMITTING
    return undecided and call.step == JobStep.name


def _failure_reason(job: Job, hint: str) -> str:
    """Freezer keeps no reason: say where it is, and what it often is."""
    return (
        f"Freezer's job ended with result {job.result or 'none'!r}; the reason is in the log of "
        f"scheduler {job.client} and in freezer-agent's log on host "
        f"{job.get_field('hostname') or 'of that scheduler'}{hint}"
    )
