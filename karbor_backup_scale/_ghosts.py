"""Jobs that the queue believes to be at work in this process, and that are not.

The reply of the statement that fetched a job may be lost, or its end could not be written. Nobody
else puts such a job back, because this worker lives.
"""

from collections.abc import Callable, Collection

from procrastinate import App
from procrastinate.jobs import Status

from karbor_backup_scale._jobs import requeue


class GhostFinder:
    """Puts back what two looks in a row have found to be nobody's.

    Args:
        app: of the queue.
        at_work: returns the ids of the jobs that are at work here.
    """

    def __init__(self, app: App, at_work: Callable[[], Collection[int]]) -> None:
        self._app = app
        self._at_work = at_work
        self._suspects: set[int] = set()

    async def look(self, worker_id: int) -> None:
        """Look at the jobs of a worker of this process."""
        listed = await self._app.job_manager.list_jobs_async(
            worker_id=worker_id, status=Status.DOING.value
        )
        ghosts = {job.id: job for job in listed if job.id not in self._at_work()}
        for job_id in ghosts.keys() & self._suspects:
            await requeue(self._app, ghosts.pop(job_id))
        self._suspects = {job.id for job in ghosts.values() if job.id is not None}
