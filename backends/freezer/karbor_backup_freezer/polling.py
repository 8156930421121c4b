"""How the jobs of many operations stand, for as few requests as can be."""

from collections.abc import Sequence

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Operation,
    Progress,
    ProgressState,
    State,
    Verb,
)
from karbor_backup_freezer.jobs import ENDED
from karbor_backup_freezer.lookout import Expected, Lookout
from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.records import records_of
from karbor_backup_freezer.steps import looking
from karbor_backup_freezer.steps.work import Work, covered


class Poller:
    """Answers for operations by the work that goes on for them.

    Args:
        work: Freezer and the cloud, and where jobs that have ended are remembered.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lookout = Lookout(work.client)

    def poll(self, operations: Sequence[Operation]) -> dict[str, Progress]:
        """Answer for each operation.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        answers: dict[str, Progress] = {}
        awaited: dict[str, str] = {}
        wanted: dict[str, Expected | None] = {}
        for operation in operations:
            try:
                identifier = awaited[operation.id] = looking.awaited_job(operation)
                if identifier:
                    wanted[identifier] = self._expected(operation)
            except BackendError as error:
                awaited.pop(operation.id, None)
                answers[operation.id] = Progress(ProgressState.FAILED, reason=str(error))
        sight = self._lookout.look(wanted)
        asked = [(o, sight.jobs.get(awaited[o.id])) for o in operations if o.id in awaited]
        done = {job.id for o, job in asked if job is not None and looking.has_stored(o, job)}
        records = sight.records | records_of(self._work.client, done - sight.records.keys())
        for job in sight.jobs.values():
            if job.stage in ENDED:
                self._work.ended.remember(job, records.get(job.id, ()))
        return answers | {
            o.id: looking.look(self._work, o, job, records.get(job.id, ()) if job else ())
            for o, job in asked
        }

    def _expected(self, operation: Operation) -> Expected | None:
        """What is known of its job, where that is sure to be there and only its end is awaited."""
        receipt = Receipt.of(operation)
        begun = operation.state is State.RUNNING and receipt.step is Step.JOB and not receipt.doubt
        if operation.verb is not Verb.PROTECT or not begun or operation.cancel_requested:
            return None
        if any(piece.mode is Mode.NATIVE for piece in covered(operation).pieces):
            # Freezer records these before they are done.
            return None
        try:
            storage = self._work.storage_of(operation, receipt)
        except InvalidInput:
            # It is said when it matters: when the job has ended.
            return None
        container = storage.container(self._work.configuration.container, operation.id)
        return Expected(receipt.client, container)
