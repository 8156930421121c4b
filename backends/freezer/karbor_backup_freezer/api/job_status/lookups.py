"""Jobs looked up one by one: the cheapest way for few of them, and the only one that is certain."""

from collections.abc import Iterable

from karbor_backup_freezer.api.client import FreezerClient
from karbor_backup_freezer.api.jobs import Job


class JobLookups:
    """Looks up jobs by their ids.

    Args:
        client: Freezer.
    """

    def __init__(self, client: FreezerClient) -> None:
        self._client = client

    def read(self, ids: Iterable[str]) -> dict[str, Job]:
        """Return those of the jobs that Freezer knows; one request for each id.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        documents = (self._client.get_job(identifier) for identifier in ids)
        jobs = (Job.from_document(document) for document in documents if document is not None)
        return {job.id: job for job in jobs}
