"""What the queue knows of a worker: the engine has its heartbeat, and not its name."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from procrastinate.connector import BaseConnector
from procrastinate.manager import JobManager

_INSERT: Final = """
INSERT INTO karbor_backup_workers (worker_id, host, pid, queues, hold)
VALUES (%(worker)s, %(host)s, %(pid)s, %(queues)s, %(hold)s)
"""


class NamingJobManager(JobManager):
    """Tells the queue also the name of each worker that registers.

    Args:
        connector: of the queue.
        queues: the queues that the worker serves.
        hold: how many operations it drives at most.
        on_registered: is called with the worker's id.
    """

    def __init__(
        self,
        connector: BaseConnector,
        queues: Sequence[str],
        hold: int,
        on_registered: Callable[[int], None],
    ) -> None:
        super().__init__(connector)
        self._on_registered = on_registered
        self._description: dict[str, Any] = {
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "queues": list(queues),
            "hold": hold,
        }

    async def register_worker(self) -> int:
        """Register a worker, and return its id."""
        worker_id = await super().register_worker()
        await self.connector.execute_query_async(_INSERT, worker=worker_id, **self._description)
        self._on_registered(worker_id)
        return worker_id
