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
from karbor_backup_freezer.jobs import ENDED, GOES_ON, Job
from karbor_backup_freezer.lookout import Expected, Lookout
from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.records import records_of
from karbor_backup_freezer.steps import handover, looking
from karbor_backup_freezer.steps.work import Work, covered

_RUNNING: Final = Progress(ProgressState.RUNNING)


@attrs.frozen
class _Awaited:
    """What an operation waits for.

    Attributes:
        operation: which.
        job: the id of the job, empty where it is none.
        expected: what is known of the job, where only its end is awaited.
        damage: why that cannot be told.
    """

    operation: Operation
    job: str = ""
    expected: Expected | None = None
    damage: str = ""


class Poller:
    """Answers for operations by the work that goes on for them.

    Args:
        work: Freezer and the cloud, and where jobs that have ended are remembered.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lookout = Lookout(work.client)
        self._awaited: dict[str, _Awaited] = {}
        self._taken: set[str] = set()

    def poll(self, operations: Sequence[Operation]) -> dict[str, Progress]:
        """Answer for each operation.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        self._awaited = {o.id: self._await(o) for o in operations}
        awaited = self._with_overdue(self._awaited)
        wanted = {a.job: a.expected for a in awaited.values() if a.job}
        sight = self._lookout.look(wanted)
        found = {o.id: sight.jobs.get(awaited[o.id].job) for o in operations}
        done = {job.id for o in operations if (job := found[o.id]) and looking.has_stored(o, job)}
        records = sight.records | records_of(self._work.client, done - sight.records.keys())
        for job in sight.jobs.values():
            if job.taken:
                self._taken.add(job.id)
            if job.stage in ENDED:
                self._work.ended.remember(job, records.get(job.id, ()))
        return {o.id: self._answer(awaited[o.id], found[o.id]) for o in operations}

    def _with_overdue(self, awaited: Mapping[str, "_Awaited"]) -> dict[str, "_Awaited"]:
        """Have jobs looked at themselves that should have been taken up, until they were."""
        self._taken &= {a.job for a in awaited.values()}

        def is_doubtful(a: _Awaited) -> bool:
            known = a.expected is None or a.job in self._taken
            return not known and handover.is_overdue(a.operation)

        return {
            i: attrs.evolve(a, expected=None) if is_doubtful(a) else a for i, a in awaited.items()
        }

    def _await(self, operation: Operation) -> "_Awaited":
        """Find out which job is waited for; what has not changed since the last poll is known."""
        known = self._awaited.get(operation.id)
        if known is not None and known.operation is operation:
            return known
        try:
            job = looking.awaited_job(operation)
            return _Awaited(operation, job, self._expected(operation) if job else None)
        except BackendError as error:
            return _Awaited(operation, damage=str(error))

    def _answer(self, awaited: "_Awaited", job: Job | None) -> Progress:
        if awaited.damage:
            return Progress(ProgressState.FAILED, reason=awaited.damage)
        if awaited.expected is not None and job is not None and job.stage in GOES_ON:
            return _RUNNING
        return looking.look(self._work, awaited.operation, job)

    def _expected(self, operation: Operation) -> Expected | None:
        """What is known of its job, where that is sure to be there and only its end is awaited."""
        receipt = Receipt.of(operation)
        begun = operation.state is State.RUNNING and receipt.step is Step.JOB and not receipt.doubt
        to_stop = operation.cancel_requested or operation.cancel_sent
        if operation.verb is not Verb.PROTECT or not begun or to_stop or receipt.settles_at:
            return None
        if any(piece.mode is Mode.NATIVE for piece in covered(operation).pieces):
            # Freezer records these before they are done.
            return None
        try:
            container = self._work.container_of(operation)
        except InvalidInput:
            # It is said when it matters: when the job has ended.
            return None
        return Expected(receipt.client, container)
