"""How the jobs of many operations stand, for as few requests as can be."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Operation,
    Progress,
    ProgressState,
    State,
    Verb,
)
from karbor_backup_freezer.api.job_status import ExpectedJob, JobStatusReader
from karbor_backup_freezer.api.jobs import ACTIVE_STATES, ENDED_STATES, Job
from karbor_backup_freezer.api.records import list_records_by_job
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.receipt import Receipt, StepName
from karbor_backup_freezer.workflows import reassignment, status
from karbor_backup_freezer.workflows.context import WorkflowContext, get_discovery_result

_RUNNING: Final = Progress(ProgressState.RUNNING)


@attrs.frozen
class _PollTarget:
    """What an operation waits for.

    Attributes:
        operation: which.
        job: the id of the job, empty where it is none.
        expected: what is known of the job, where only its end is awaited.
        damage: why that cannot be told.
    """

    operation: Operation
    job: str = ""
    expected: ExpectedJob | None = None
    damage: str = ""


class JobPoller:
    """Answers for operations by the work that goes on for them.

    Args:
        context: Freezer and the cloud, and where jobs that have ended are remembered.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context
        self._status_reader = JobStatusReader(context.client)
        self._awaited: dict[str, _PollTarget] = {}
        self._taken: set[str] = set()

    def poll(self, operations: Sequence[Operation]) -> dict[str, Progress]:
        """Return for each operation.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        self._awaited = {o.id: self._find_target(o) for o in operations}
        awaited = self._recheck_overdue(self._awaited)
        wanted = {a.job: a.expected for a in awaited.values() if a.job}
        snapshot = self._status_reader.read_status(wanted)
        found = {o.id: snapshot.jobs.get(awaited[o.id].job) for o in operations}
        done = {job.id for o in operations if (job := found[o.id]) and status.has_records(o, job)}
        records = snapshot.records | list_records_by_job(
            self._context.client, done - snapshot.records.keys()
        )
        for job in snapshot.jobs.values():
            if job.picked_up:
                self._taken.add(job.id)
            if job.state in ENDED_STATES:
                self._context.finished_jobs.put(job, records.get(job.id, ()))
        return {o.id: self._build_progress(awaited[o.id], found[o.id]) for o in operations}

    def _recheck_overdue(self, awaited: Mapping[str, "_PollTarget"]) -> dict[str, "_PollTarget"]:
        """Have jobs looked at themselves that should have been taken up, until they were."""
        self._taken &= {a.job for a in awaited.values()}

        def is_doubtful(a: _PollTarget) -> bool:
            known = a.expected is None or a.job in self._taken
            return not known and reassignment.is_overdue(a.operation)

        return {
            i: attrs.evolve(a, expected=None) if is_doubtful(a) else a for i, a in awaited.items()
        }

    def _find_target(self, operation: Operation) -> "_PollTarget":
        """Find out which job is waited for; what has not changed since the last poll is known."""
        known = self._awaited.get(operation.id)
        if known is not None and known.operation is operation:
            return known
        try:
            job = status.awaited_job_id(operation)
            return _PollTarget(operation, job, self._expected_job(operation) if job else None)
        except BackendError as error:
            return _PollTarget(operation, damage=str(error))

    def _build_progress(self, awaited: "_PollTarget", job: Job | None) -> Progress:
        if awaited.damage:
            return Progress(ProgressState.FAILED, reason=awaited.damage)
        if awaited.expected is not None and job is not None and job.state in ACTIVE_STATES:
            return _RUNNING
        return status.get_status(self._context, awaited.operation, job)

    def _expected_job(self, operation: Operation) -> ExpectedJob | None:
        """What is known of its job, where that is sure to be there and only its end is awaited."""
        receipt = Receipt.from_operation(operation)
        begun = (
            operation.state is State.RUNNING and receipt.step is StepName.JOB and not receipt.doubt
        )
        to_stop = operation.cancel_requested or operation.cancel_sent
        if operation.verb is not Verb.PROTECT or not begun or to_stop or receipt.settles_at:
            return None
        if any(item.mode is Mode.NATIVE for item in get_discovery_result(operation).pieces):
            # Freezer records these before they are done.
            return None
        try:
            container = self._context.get_container(operation)
        except InvalidInput:
            # It is said when it matters: when the job has ended.
            return None
        return ExpectedJob(receipt.client, container)
