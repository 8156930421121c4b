"""What each way to look at jobs costs Freezer, as an estimate in listed jobs.

Measured on freezer-api 19.0.0 with MariaDB, and to be read in its ``db/sqlalchemy/api.py``: for
each job of a list the API sends two further queries (1.6 ms a job), for a record of a backup and
for an action none (0.02 ms). The model and its measurements: ``docs/explanation/performance.md``.
"""

import math
from typing import Final

from karbor_backup_freezer.api.client import PAGE_SIZES

REQUEST_COST: Final = 20.0
"""What a request is weighed as beside the entries that it brings, in listed jobs."""

RECORD_COST: Final = 1 / 80
"""What a listed record costs Freezer, in listed jobs."""


class CostModel:
    """Estimates by the length that each list had when it was read last; 0 before that."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def record_count(self, collection: str, count: int) -> None:
        """Keep how many entries a collection had, or at least so many."""
        self._counts[collection] = count

    def prefers_records(self, jobs: int) -> bool:
        """Return whether the records cost less than the list of jobs and than single look-ups.

        Args:
            jobs: how many jobs are waited for whose success leaves records.
        """
        return self._list_cost("backups", RECORD_COST) < min(
            self._list_cost("jobs", 1.0), jobs * REQUEST_COST
        )

    def prefers_job_list(self, jobs: int) -> bool:
        """Return whether the list of jobs costs no more than to look up so many of them."""
        return jobs > 1 and jobs * REQUEST_COST >= self._list_cost("jobs", 1.0)

    @staticmethod
    def prefers_lookups(missing: int, listed: int) -> bool:
        """Return whether a list is given up for single look-ups.

        Args:
            missing: how many jobs the list has not shown yet.
            listed: how many entries it has shown.
        """
        return missing * REQUEST_COST < listed

    def _list_cost(self, collection: str, entry_cost: float) -> float:
        count = self._counts.get(collection, 0)
        requests = math.ceil((count + 1) / PAGE_SIZES[collection])
        return count * entry_cost + requests * REQUEST_COST
