"""How the jobs of many operations stand, for as few requests as can be."""

from collections.abc import Mapping, Sequence

from karbor_backup_core import BackendError, Operation, Progress, ProgressState
from karbor_backup_freezer.jobs import ENDED, Job
from karbor_backup_freezer.records import records_of
from karbor_backup_freezer.steps import looking
from karbor_backup_freezer.steps.work import Work


class Poller:
    """Answers for operations by the work that goes on for them.

    Args:
        work: Freezer and the cloud, and where jobs that have ended are remembered.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._client = work.client

    def poll(self, operations: Sequence[Operation]) -> dict[str, Progress]:
        """Answer for each operation.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        answers: dict[str, Progress] = {}
        awaited: dict[str, str] = {}
        for operation in operations:
            try:
                awaited[operation.id] = looking.awaited_job(operation)
            except BackendError as error:
                answers[operation.id] = Progress(ProgressState.FAILED, reason=str(error))
        jobs = self._jobs({identifier for identifier in awaited.values() if identifier})
        asked = [(o, jobs.get(awaited[o.id])) for o in operations if o.id in awaited]
        done = [job.id for o, job in asked if job is not None and looking.has_stored(o, job)]
        records = records_of(self._client, done)
        for job in jobs.values():
            if job.stage in ENDED:
                self._work.ended.remember(job, records.get(job.id, ()))
        return answers | {
            o.id: looking.look(self._work, o, job, records.get(job.id, ()) if job else ())
            for o, job in asked
        }

    def _jobs(self, wanted: set[str]) -> Mapping[str, Job]:
        """The jobs of these ids: one by its id, more by the list; then each missing one alone."""
        found: dict[str, Job] = {}
        if len(wanted) > 1:
            for document in self._client.all("jobs"):
                if document.get("job_id") in wanted:
                    found[document["job_id"]] = Job.read(document)
                if len(found) == len(wanted):
                    break
        for identifier in wanted - found.keys():
            alone = self._client.job(identifier)
            if alone is not None:
                found[identifier] = Job.read(alone)
        return found
