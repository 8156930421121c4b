"""The sweep: it queues every operation that no living process drives and that has no job.

It makes up for whatever the queue has lost: a process that was killed between its writes to the
store and to the queue, a queue that was emptied, a worker that died.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from procrastinate import App

from karbor_backup_core import Operation, Store, system_clock
from karbor_backup_scale._jobs import enqueue, requeue

_log: Final = logging.getLogger("karbor_backup.worker")

_SELECT_QUEUED: Final = """
SELECT queueing_lock FROM procrastinate_jobs
WHERE queueing_lock = ANY(%(operations)s) AND status IN ('todo', 'doing')
"""


class Sweep:
    """Puts operations back into the queue.

    Args:
        app: of the queue.
        store: has the operations.
        lease: the policy's.
        dead_after: how long a worker may be silent.
    """

    def __init__(self, app: App, store: Store, lease: timedelta, dead_after: timedelta) -> None:
        self._app = app
        self._store = store
        self._lease = lease
        self._dead_after = dead_after

    async def run(self) -> None:
        """Queue the jobs of dead workers again, then the operations that have no job.

        Raises:
            StoreError: the store cannot be read; the next sweep makes up for it.
        """
        await self._requeue_stalled_jobs()
        unowned = await asyncio.to_thread(self._list_unowned)
        for operation in await self._without_job(unowned):
            if await enqueue(self._app, operation):
                _log.warning("operation %s, which nobody drove, is queued", operation.id)

    async def _requeue_stalled_jobs(self) -> None:
        stalled = await self._app.job_manager.get_stalled_jobs(
            seconds_since_heartbeat=self._dead_after.total_seconds()
        )
        for job in stalled:
            _log.warning("job %s of a worker that is dead is queued again", job.call_string)
            await requeue(self._app, job)

    def _list_unowned(self) -> Sequence[Operation]:
        now = self._store.now() or system_clock()
        return [each for each in self._store.unowned(now, self._lease) if not each.suspended]

    async def _without_job(self, operations: Sequence[Operation]) -> Sequence[Operation]:
        rows = await self._app.connector.execute_query_all_async(
            _SELECT_QUEUED, operations=[each.id for each in operations]
        )
        queued = {row["queueing_lock"] for row in rows}
        return [each for each in operations if each.id not in queued]
