"""Finding out how many jobs stand, with the requests that cost Freezer least.

What a list costs was measured on freezer-api 19.0.0 with MariaDB, and can be read in its
``db/sqlalchemy/api.py``: for each job it sends two further queries (1.6 ms a job), for a record of
a backup and for an action none (0.02 ms). So where many backups run, their ends are seen in the
records, the actions tell what is to be removed then, and the jobs themselves are listed now and
then, a few at a time, to see those that failed.

A record is as good as the job's own word. The scheduler writes it when the agent has ended, after
the agent has printed what it stored, which is the last thing it does (``scheduler_job.py``,
``execute_job_action``; ``main.py``); all that the scheduler has yet to do is to note the result.
"""

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import attrs

from karbor_backup_freezer.agent.escaping import unescape
from karbor_backup_freezer.api.client import PAGE_SIZES, Document, FreezerClient
from karbor_backup_freezer.api.jobs import Action, Job, JobState
from karbor_backup_freezer.api.records import record_job_id

REQUEST_COST: Final = 20.0
"""What a request is weighed as beside the entries that it brings, in listed jobs."""

RECORD_COST: Final = 1 / 80
"""What a listed record costs Freezer, in listed jobs."""

LISTING_SHARE: Final = 0.1
"""The part of the time for which jobs are listed while records tell of the ends."""

REST_FACTOR: Final = 3
"""How much longer that waits while work keeps ending, and its release needs the API."""

SCAN_PAGE_SIZE: Final = 100
"""Jobs that are listed at a time then, so that no end has to wait for long."""


@attrs.frozen
class ExpectedJob:
    """What is known of a job that is sure to be there, and whose success leaves records.

    Attributes:
        client: the client id of its scheduler.
        container: where its actions store to, and no other job's.
    """

    client: str
    container: str


@attrs.frozen
class JobSnapshot:
    """What was seen.

    Attributes:
        jobs: by id; what is missing here is not known to Freezer.
        records: all records of the jobs of which these have told that they ended, by job's id.
    """

    jobs: Mapping[str, Job]
    records: dict[str, Sequence[Document]] = attrs.field(factory=dict)


class _ListScan:
    """One way through the list of jobs, a page at a time.

    Args:
        wanted: the jobs that are to be seen on it.
    """

    def __init__(self, wanted: AbstractSet[str] = frozenset()) -> None:
        self.missed = set(wanted)
        self.offset = 0

    def shift_back(self, count: int) -> None:
        """Hear of jobs that will be deleted, so that what comes after them moves up."""
        self.offset = max(0, self.offset - count)

    def record_page(self, seen: AbstractSet[str], count: int) -> None:
        """Hear what a page has shown, and of how many entries it was."""
        self.missed -= seen
        self.offset += count


class JobStatusReader:
    """Looks how jobs stand. What it remembers saves requests, and no answer depends on it.

    Args:
        client: Freezer.
        now: a clock in seconds that only goes forward.
    """

    def __init__(self, client: FreezerClient, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._now = now
        self._seen: dict[str, Job] = {}
        self._counts: dict[str, int] = {}
        self._round = _ListScan()
        self._expected: frozenset[str] = frozenset()
        self._looked_at = -math.inf
        self._rest = 0.0

    def read_status(self, wanted: Mapping[str, ExpectedJob | None]) -> JobSnapshot:
        """Look how these jobs stand; one that should be in a list and is not is asked for alone.

        Args:
            wanted: by id what is known of them; nothing of one that has to be looked at itself.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        expected = {i: known for i, known in wanted.items() if known is not None}
        self._seen = {i: job for i, job in self._seen.items() if i in expected}
        if not self._records_are_cheaper(len(expected)):
            began = self._now()
            self._refresh_jobs(wanted.keys(), wanted.keys())
            self._pause_listing_since(began)
            self._round = _ListScan(expected.keys())
            return JobSnapshot(self._seen)
        records = self._list_records(expected)
        # What is unseen is looked up when it has ended, or before when nothing else goes on.
        calm = not records and expected.keys() <= self._expected
        self._expected = frozenset(expected)
        unseen = expected.keys() - self._seen.keys()
        self._learn_actions({i: expected[i] for i in (unseen if calm else unseen & records.keys())})
        ended = {i for i, left in records.items() if self._has_all_records(i, left)}
        self._round.shift_back(len(ended))
        needed = wanted.keys() - expected.keys()
        if self._now() >= self._looked_at + self._rest * (REST_FACTOR if ended else 1):
            needed |= self._scan_next_page(expected.keys() - ended)
        self._refresh_jobs(needed, wanted.keys())
        begun = {i: Job.unseen(i, known.client) for i, known in expected.items() if i not in needed}
        succeeded = {i: _as_succeeded(self._seen[i]) for i in ended}
        return JobSnapshot({**begun, **self._seen, **succeeded}, {i: records[i] for i in ended})

    def _scan_next_page(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        """List the next few jobs; answer which were missed and have to be asked for alone."""
        began = self._now()
        page = self._client.get_page("jobs", limit=SCAN_PAGE_SIZE, offset=self._round.offset)
        jobs = [Job.from_document(job) for job in page if job.get("job_id") in wanted]
        self._seen |= {job.id: job for job in jobs}
        self._pause_listing_since(began)
        self._round.record_page({job.id for job in jobs}, len(page))
        if len(page) == SCAN_PAGE_SIZE:
            return frozenset()
        self._counts["jobs"] = self._round.offset
        missed = self._round.missed & wanted
        self._round = _ListScan(wanted)
        return missed

    def _pause_listing_since(self, began: float) -> None:
        """List no jobs for a time, as long as records tell of the ends."""
        self._looked_at = self._now()
        self._rest = (self._looked_at - began) / LISTING_SHARE

    def _refresh_jobs(self, needed: Collection[str], wanted: Collection[str]) -> None:
        """Look at jobs, by the list or one by one; a list shows others that are wanted as well."""
        for identifier in needed:
            self._seen.pop(identifier, None)
        if len(needed) > 1 and len(needed) * REQUEST_COST >= self._list_cost("jobs", 1.0):
            self._list_jobs(needed, wanted)
        for identifier in needed - self._seen.keys():
            alone = self._client.get_job(identifier)
            if alone is not None:
                self._seen[identifier] = Job.from_document(alone)

    def _list_jobs(self, needed: Collection[str], wanted: Collection[str]) -> None:
        """List the jobs until all were seen, or the rest is asked for alone at less cost."""
        missing = set(needed)
        count = 0
        for page in self._client.iter_pages("jobs"):
            count += len(page)
            jobs = [Job.from_document(job) for job in page if job.get("job_id") in wanted]
            self._seen |= {job.id: job for job in jobs}
            missing -= {job.id for job in jobs}
            if len(missing) * REQUEST_COST < count:
                break
        self._counts["jobs"] = count

    def _list_records(self, wanted: Collection[str]) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {}
        for count, record in enumerate(self._client.iter_entries("backups"), 1):
            self._counts["backups"] = count
            if record_job_id(record) in wanted:
                found.setdefault(record_job_id(record), []).append(record)
        return found

    def _learn_actions(self, unseen: Mapping[str, ExpectedJob]) -> None:
        """Learn the actions of jobs that were never seen."""
        if not unseen:
            return
        stored_to: dict[str, list[Action]] = {known.container: [] for known in unseen.values()}
        for document in self._client.iter_entries("actions"):
            action = Action.from_document(document)
            stored_to.get(unescape(str(action.fields.get("container"))), []).append(action)
        self._seen |= {
            identifier: Job.unseen(identifier, known.client, stored_to[known.container])
            for identifier, known in unseen.items()
        }

    def _has_all_records(self, identifier: str, records: Sequence[Document]) -> bool:
        """Whether these are the records of all that a job has to back up."""
        return 0 < len(self._seen[identifier].actions) <= len(records)

    def _records_are_cheaper(self, jobs: int) -> bool:
        """Whether the records cost less than the list of jobs, or than to ask for each job."""
        return self._list_cost("backups", RECORD_COST) < min(
            self._list_cost("jobs", 1.0), jobs * REQUEST_COST
        )

    def _list_cost(self, collection: str, entry: float) -> float:
        """What a list costs, as long as it was the last time."""
        count = self._counts.get(collection, 0)
        return count * entry + math.ceil((count + 1) / PAGE_SIZES[collection]) * REQUEST_COST


def _as_succeeded(job: Job) -> Job:
    return attrs.evolve(job, state=JobState.SUCCEEDED, result="success")
