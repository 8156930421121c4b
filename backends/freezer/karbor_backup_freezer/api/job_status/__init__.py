"""How many jobs stand, with the requests that cost Freezer least.

There are three ways to look at jobs, each in a module of its own:

- ``records``: the records of backups tell which jobs have succeeded.
- ``job_list``: the list of jobs, as a whole or a page at a time.
- ``lookups``: one request for each job.

``reader`` chooses between them for each poll, by the estimates of ``costs``.
"""

from karbor_backup_freezer.api.job_status.model import ExpectedJob, JobSnapshot
from karbor_backup_freezer.api.job_status.reader import JobStatusReader

__all__ = ["ExpectedJob", "JobSnapshot", "JobStatusReader"]
