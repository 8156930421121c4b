"""Jobs seen in Freezer's list of all jobs: as a whole, or one page at a time.

Pages shift while others delete jobs, so a list may miss a job: what was sought and not found is
looked up by its id.
"""

import math
import time
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from karbor_backup_freezer.api.client import Document, FreezerClient
from karbor_backup_freezer.api.job_status.costs import CostModel
from karbor_backup_freezer.api.jobs import Job

LISTING_SHARE: Final = 0.1
"""The part of the time for which jobs are listed while records tell of the ends."""

REST_FACTOR: Final = 3
"""How much longer that waits while work keeps ending, and its release needs the API."""

SCAN_PAGE_SIZE: Final = 100
"""Jobs that are listed at a time then, so that no end has to wait for long."""


class JobList:
    """Lists jobs until all that are needed were seen, or single look-ups cost less.

    Args:
        client: Freezer.
        costs: decides where to stop; hears how long the list was.
    """

    def __init__(self, client: FreezerClient, costs: CostModel) -> None:
        self._client = client
        self._costs = costs

    def read(self, needed: Collection[str], wanted: Collection[str]) -> dict[str, Job]:
        """Return the jobs that the list has shown.

        Args:
            needed: the list is read for these.
            wanted: what is returned of it, these among others.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        seen: dict[str, Job] = {}
        missing = set(needed)
        count = 0
        for page in self._client.iter_pages("jobs"):
            count += len(page)
            jobs = _jobs_of_page(page, wanted)
            seen |= jobs
            missing -= jobs.keys()
            if self._costs.prefers_lookups(len(missing), count):
                break
        self._costs.record_count("jobs", count)
        return seen


class JobListScan:
    """Goes through the list of jobs again and again, one page at a time and with rests.

    While records tell which jobs have succeeded, this finds those that have failed.

    Args:
        client: Freezer.
        costs: hears how long the list was.
        now: a clock in seconds that only goes forward.
    """

    def __init__(
        self, client: FreezerClient, costs: CostModel, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._costs = costs
        self._now = now
        self._looked_at = -math.inf
        self._rest = 0.0
        self._offset = 0
        self._missed: set[str] = set()

    def restart(self, wanted: AbstractSet[str], began: float) -> None:
        """Begin at the first page again, and rest as after a page.

        Args:
            wanted: the jobs that are to be seen on the way.
            began: when jobs were last begun to be listed, by the clock ``now``.
        """
        self._begin(wanted)
        self._rest_since(began)

    def is_due(self, *, work_ends: bool) -> bool:
        """Return whether the next page is to be read now.

        Args:
            work_ends: jobs have ended, so that their releases need the API.
        """
        return self._now() >= self._looked_at + self._rest * (REST_FACTOR if work_ends else 1)

    def shift_back(self, count: int) -> None:
        """Go back by so many jobs, which are going to be deleted: what follows moves up."""
        self._offset = max(0, self._offset - count)

    def read_next_page(self, wanted: AbstractSet[str]) -> tuple[dict[str, Job], AbstractSet[str]]:
        """List the next few jobs.

        Returns:
            The wanted jobs of this page, and the ids of those that a whole way through the list
            has not shown.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        began = self._now()
        page = self._client.get_page("jobs", limit=SCAN_PAGE_SIZE, offset=self._offset)
        jobs = _jobs_of_page(page, wanted)
        self._rest_since(began)
        self._missed -= jobs.keys()
        self._offset += len(page)
        if len(page) == SCAN_PAGE_SIZE:
            return jobs, frozenset()
        self._costs.record_count("jobs", self._offset)
        missed = self._missed & wanted
        self._begin(wanted)
        return jobs, missed

    def _begin(self, wanted: AbstractSet[str]) -> None:
        self._offset = 0
        self._missed = set(wanted)

    def _rest_since(self, began: float) -> None:
        self._looked_at = self._now()
        self._rest = (self._looked_at - began) / LISTING_SHARE


def _jobs_of_page(page: Sequence[Document], wanted: Collection[str]) -> dict[str, Job]:
    jobs = (Job.from_document(job) for job in page if job.get("job_id") in wanted)
    return {job.id: job for job in jobs}
