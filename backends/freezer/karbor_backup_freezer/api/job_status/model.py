"""What a reader of job states is asked, and what it returns."""

from collections.abc import Mapping, Sequence

import attrs

from karbor_backup_freezer.api.client import Document
from karbor_backup_freezer.api.jobs import Job


@attrs.frozen
class ExpectedJob:
    """What is known of a job that is sure to be there, and whose success leaves records.

    Attributes:
        client: the client id of its scheduler.
        container: where its actions store to, and no other job's.
    """

    client: str
    container: str


@attrs.frozen
class JobSnapshot:
    """What was seen.

    Attributes:
        jobs: by id; what is missing here is not known to Freezer.
        records: all records of the jobs of which these have told that they ended, by job's id.
    """

    jobs: Mapping[str, Job]
    records: dict[str, Sequence[Document]] = attrs.field(factory=dict)
