"""What polls have seen of jobs that have ended, so that later calls need not ask again."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from karbor_backup_freezer.api.client import Document
from karbor_backup_freezer.api.jobs import Job

MAX_JOBS: Final = 4096


class FinishedJobCache:
    """The latest jobs that were seen to have ended; losing one costs a request, no more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, tuple[Job, Sequence[Document]]] = OrderedDict()

    def put(self, job: Job, records: Sequence[Document] = ()) -> None:
        """Keep a job and its records, and let go of the oldest beyond ``LIMIT``."""
        with self._lock:
            self._jobs[job.id] = (job, records)
            while len(self._jobs) > MAX_JOBS:
                self._jobs.popitem(last=False)

    def get(self, job_id: str) -> tuple[Job | None, Sequence[Document]]:
        """Return the job of that id and what was seen of its records, and keep both."""
        with self._lock:
            return self._jobs.get(job_id, (None, ()))

    def pop(self, job_id: str) -> Job | None:
        """Return the job of that id and let go of it."""
        with self._lock:
            return self._jobs.pop(job_id, (None, ()))[0]
