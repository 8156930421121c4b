"""The choice of how to look at jobs.

Where many backups run, their ends are seen in the records, the actions tell what is to be removed
then, and the jobs themselves are listed now and then, a few at a time, to see those that failed.
Otherwise the jobs are listed as a whole, or looked up one by one where they are few.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import attrs

from karbor_backup_freezer.api.client import Document, FreezerClient
from karbor_backup_freezer.api.job_status.costs import CostModel
from karbor_backup_freezer.api.job_status.job_list import JobList, JobListScan
from karbor_backup_freezer.api.job_status.lookups import JobLookups
from karbor_backup_freezer.api.job_status.model import ExpectedJob, JobSnapshot
from karbor_backup_freezer.api.job_status.records import JobRecords
from karbor_backup_freezer.api.jobs import Job, JobState


class JobStatusReader:
    """Looks how jobs stand. What it remembers saves requests, and no answer depends on it.

    Args:
        client: Freezer.
        now: a clock in seconds that only goes forward.
    """

    def __init__(self, client: FreezerClient, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._costs = CostModel()
        self._lookups = JobLookups(client)
        self._job_list = JobList(client, self._costs)
        self._scan = JobListScan(client, self._costs, now)
        self._records = JobRecords(client, self._costs)
        self._seen: dict[str, Job] = {}
        self._expected: frozenset[str] = frozenset()

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
        if self._costs.prefers_records(len(expected)):
            return self._read_by_records(wanted, expected)
        began = self._now()
        self._refresh(wanted.keys(), wanted.keys())
        self._scan.restart(expected.keys(), began)
        return JobSnapshot(self._seen)

    def _read_by_records(
        self, wanted: Mapping[str, ExpectedJob | None], expected: Mapping[str, ExpectedJob]
    ) -> JobSnapshot:
        records = self._records.read(expected.keys())
        # What is unseen is looked up when it has ended, or before when nothing else goes on.
        calm = not records and expected.keys() <= self._expected
        self._expected = frozenset(expected)
        unseen = expected.keys() - self._seen.keys()
        self._seen |= self._records.read_actions(
            {i: expected[i] for i in (unseen if calm else unseen & records.keys())}
        )
        ended = {i for i, left in records.items() if self._has_all_records(i, left)}
        self._scan.shift_back(len(ended))
        needed = wanted.keys() - expected.keys()
        if self._scan.is_due(work_ends=bool(ended)):
            jobs, missed = self._scan.read_next_page(expected.keys() - ended)
            self._seen |= jobs
            needed |= missed
        self._refresh(needed, wanted.keys())
        begun = {i: Job.unseen(i, known.client) for i, known in expected.items() if i not in needed}
        succeeded = {i: _as_succeeded(self._seen[i]) for i in ended}
        return JobSnapshot({**begun, **self._seen, **succeeded}, {i: records[i] for i in ended})

    def _refresh(self, needed: AbstractSet[str], wanted: AbstractSet[str]) -> None:
        """Look at jobs themselves, by the list or one by one."""
        for identifier in needed:
            self._seen.pop(identifier, None)
        if self._costs.prefers_job_list(len(needed)):
            self._seen |= self._job_list.read(needed, wanted)
        self._seen |= self._lookups.read(needed - self._seen.keys())

    def _has_all_records(self, identifier: str, records: Sequence[Document]) -> bool:
        """Whether these are the records of all that a job has to back up."""
        return 0 < len(self._seen[identifier].actions) <= len(records)


def _as_succeeded(job: Job) -> Job:
    return attrs.evolve(job, state=JobState.SUCCEEDED, result="success")
