"""What polls have seen of jobs that have ended, so that a release need not ask again."""

import threading
from collections import OrderedDict
from typing import Final

from karbor_backup_freezer.jobs import Job

LIMIT: Final = 4096


class EndedJobs:
    """The latest jobs that were seen to have ended; losing one costs a request, no more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def remember(self, job: Job) -> None:
        """Keep a job, and let go of the oldest beyond ``LIMIT``."""
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > LIMIT:
                self._jobs.popitem(last=False)

    def take(self, job_id: str) -> Job | None:
        """Answer the job of that id and let go of it."""
        with self._lock:
            return self._jobs.pop(job_id, None)
