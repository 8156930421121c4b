"""How the jobs of many operations stand, for as few requests as can be."""

import time
from collections.abc import Mapping, Sequence

from karbor_backup_core import (
    BackendError,
    Check,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Resource,
    State,
    Verb,
)
from karbor_backup_freezer.client import Document, FreezerClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.identifiers import job_id, removal_step
from karbor_backup_freezer.jobs import ENDED, Job, Stage
from karbor_backup_freezer.memory import EndedJobs
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.records import protected, records_of
from karbor_backup_freezer.resources import DIRECTORY, restore_path

_RUNNING = Progress(ProgressState.RUNNING)
_READY = Progress(ProgressState.READY)
_UNKNOWN = Progress(ProgressState.UNKNOWN)


class Poller:
    """Answers for operations by the jobs that work for them.

    Args:
        client: Freezer.
        configuration: the default storage.
        ended: where jobs that have ended are remembered for their release.
    """

    def __init__(
        self, client: FreezerClient, configuration: Configuration, ended: EndedJobs
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._ended = ended

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
                awaited[operation.id] = _awaited_job(operation)
            except BackendError as error:
                answers[operation.id] = Progress(ProgressState.FAILED, reason=str(error))
        jobs = self._jobs({identifier for identifier in awaited.values() if identifier})
        asked = [(o, jobs.get(awaited[o.id])) for o in operations if o.id in awaited]
        done = [job.id for o, job in asked if job is not None and _has_protected(o, job)]
        records = records_of(self._client, done)
        return answers | {o.id: self._answer(o, job, records) for o, job in asked}

    def _answer(
        self, operation: Operation, job: Job | None, records: Mapping[str, Document]
    ) -> Progress:
        if operation.outcome is not None:
            return _after_the_end(operation, job)
        if job is None:
            return _UNKNOWN
        if _has_protected(operation, job):
            return protected(operation, job, records.get(job.id), self._configuration)
        return _progress(operation, job)

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
        for job in found.values():
            if job.stage in ENDED:
                self._ended.remember(job)
        return found


def _has_protected(operation: Operation, job: Job) -> bool:
    wanted = operation.verb is Verb.PROTECT and operation.outcome is None
    return wanted and job.stage is Stage.SUCCEEDED


def _awaited_job(operation: Operation) -> str:
    """The id of the job that it waits for, empty where this phase of it has none.

    A verify has none, nor has a delete's second phase.

    Raises:
        BackendError: its receipt cannot be read.
    """
    if operation.verb is Verb.VERIFY or (operation.phase > 1 and operation.outcome is None):
        return ""
    removal = Receipt.of(operation).removal
    if operation.state is State.RELEASING and removal:
        return job_id(operation.id, removal_step(removal))
    return job_id(operation.id)


def _after_the_end(operation: Operation, job: Job | None) -> Progress:
    """Whether the release may go on."""
    if job is None or job.stage in ENDED:
        return _READY
    if job.stage is Stage.HALTED and time.time() >= Receipt.of(operation).settles_at:
        return _READY
    return _still_running(job)


def _still_running(job: Job) -> Progress:
    """The answer for work that is to stop: should it never end, this is what is left."""
    note = (
        f"scheduler {job.client} has not ended it: see what its freezer-agent does, "
        "then delete the job"
    )
    return Progress(ProgressState.RUNNING, leftovers=(Leftover("Freezer job", job.id, note),))


def _progress(operation: Operation, job: Job) -> Progress:
    match job.stage:
        case Stage.SUCCEEDED if operation.verb is Verb.DELETE:
            return _READY
        case Stage.SUCCEEDED:
            return _restored(operation)
        case Stage.FAILED:
            return Progress(ProgressState.FAILED, reason=_why(operation, job))
        case Stage.STOPPED | Stage.HALTED if operation.cancel_sent:
            return Progress(ProgressState.CANCELLED)
        case Stage.STOPPED:
            return Progress(
                ProgressState.FAILED, reason=f"job {job.id} was stopped in Freezer by somebody"
            )
        case _:
            return _still_running(job) if operation.cancel_sent else _RUNNING


def _why(operation: Operation, job: Job) -> str:
    """Freezer keeps no reason: say where it is, and what it often is."""
    hint = ""
    if operation.verb is Verb.RESTORE and operation.resource.type == DIRECTORY:
        overwrite = operation.options.get("overwrite", False)
        hint = "" if overwrite else "; a directory that is not empty needs the option 'overwrite'"
    return (
        f"Freezer's job ended with result {job.result or 'none'!r}; the reason is in the log of "
        f"scheduler {job.client} and in freezer-agent's log on host "
        f"{job.field('hostname') or 'of that scheduler'}{hint}"
    )


def _restored(operation: Operation) -> Progress:
    """The end of a restore. Freezer names the directory's path only; other ids it never tells."""
    name = operation.options.get("restore_name", "")
    if operation.resource.type == DIRECTORY:
        path = restore_path(operation.resource, operation.options)
        return Progress(ProgressState.SUCCEEDED, resources=(Resource(DIRECTORY, path, name),))
    reason = (
        f"Freezer names what it restores by the old name and the time, and does not say its id; "
        f"the name {name!r} was not given to it"
    )
    check = Check("restored under its name", verified=False, reason=reason)
    return Progress(ProgressState.SUCCEEDED, checks=(check,))
