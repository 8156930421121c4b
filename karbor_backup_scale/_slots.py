"""Limits on how many operations of a backend all workers drive together.

A limited backend has as many slots, each a lock of the engine: it lets no two jobs with one lock
run. A job takes its slot when a worker has fetched it, and has it as long as it runs, also while
its worker is dead and the operation may still be at work in the service.

Where the configurations of workers differ, as while a limit is changed on one after the other, the
smallest limit holds for all of them.
"""

from collections.abc import Mapping
from typing import Final

from procrastinate.connector import BaseConnector
from procrastinate.exceptions import UniqueViolation

_SELECT_SMALLEST: Final = """
SELECT min((limits ->> %(backend)s)::integer) AS smallest FROM karbor_backup_workers
"""
_SELECT_TAKEN: Final = """
SELECT lock FROM procrastinate_jobs
WHERE status = 'doing' AND lock = ANY(%(slots)s)
"""
_TAKE: Final = """
UPDATE procrastinate_jobs SET lock = %(slot)s WHERE id = %(job)s AND status = 'doing'
"""


class Slots:
    """Gives slots to jobs.

    Args:
        connector: of the queue.
        limits: the number of slots of each backend that this worker limits, by its name.
    """

    def __init__(self, connector: BaseConnector, limits: Mapping[str, int]) -> None:
        self._connector = connector
        self._limits = limits

    async def take(self, job_id: int, backend: str) -> bool:
        """Take a slot for a job that runs; return whether there was one, or none is needed."""
        limit = await self._read_limit(backend)
        if limit is None:
            return True
        names = [f"slot {number} of {backend}" for number in range(limit)]
        while True:
            rows = await self._connector.execute_query_all_async(_SELECT_TAKEN, slots=names)
            free = set(names) - {row["lock"] for row in rows}
            if not free:
                return False
            # Jobs that come at once mostly try different ones.
            slot = sorted(free)[job_id % len(free)]
            try:
                await self._connector.execute_query_async(_TAKE, slot=slot, job=job_id)
            except UniqueViolation:
                continue  # another job has just taken it
            return True

    async def _read_limit(self, backend: str) -> int | None:
        """Return the smallest limit of all workers, of which this one may be unregistered now."""
        row = await self._connector.execute_query_one_async(_SELECT_SMALLEST, backend=backend)
        known = [each for each in (row["smallest"], self._limits.get(backend)) if each is not None]
        return min(known, default=None)
