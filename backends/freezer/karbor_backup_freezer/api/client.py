"""What the backend asks of Freezer's API v2, as a protocol.

``http_client`` implements it by requests, the tests' ``FakeFreezer`` in memory. One test module
makes the same calls to both and expects the same results.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

Document: TypeAlias = dict[str, Any]

PAGE_SIZES: Final[Mapping[str, int]] = {
    "jobs": 1000,
    "actions": 5000,
    "backups": 5000,
    "clients": 500,
}
"""Entries asked for at once; Freezer sets no limit of its own, and gives 10 when not asked.

Each of these pages takes it about two seconds at the most.
"""

FIRST_PAGE_SIZES: Final[Mapping[str, int]] = {"jobs": 100}
"""Entries asked for at first, where a page is dear and may be the only one that is wanted."""

_PAGE_GROWTH: Final = 4


class FreezerClient(Protocol):
    """Freezer's API for one project. Safe for use by several threads.

    Every method raises ``Transient`` where a repeat may help and ``BackendError`` where not.
    """

    @property
    def predates_19(self) -> bool:
        """Whether the API is older than 19.0.0: its schedulers do not say whether they are central.

        False where no scheduler is registered, since nothing can be asked of such a Freezer.
        """
        ...

    def create_job(self, document: Document) -> bool:
        """Create a job under the id in the document; False when the id is or was in use."""
        ...

    def stop_job(self, job_id: str) -> None:
        """Ask the job's scheduler not to start it; a job that runs is not stopped by it."""
        ...

    def move_job(self, job_id: str, client_id: str) -> None:
        """Give a job that was stopped before it began to a scheduler, and start it, in one write.

        A schedule is replaced as a whole.
        """
        ...

    def get_job(self, job_id: str) -> Document | None:
        """Return one job with its actions, or None where Freezer knows no such job."""
        ...

    def get_backup(self, record_id: str) -> Document | None:
        """Return one record of a backup, or None where Freezer knows no such record."""
        ...

    def get_page(
        self, collection: str, *, limit: int, offset: int = 0, search: Document | None = None
    ) -> Sequence[Document]:
        """Return so many entries of a collection, from one of them on.

        Args:
            collection: jobs, actions, backups or clients.
            limit: entries at the most.
            offset: entries to skip, of those that the search lets through.
            search: Freezer's search; None for all entries.
        """
        ...

    def overwrite_action(self, action_id: str, action: Mapping[str, Any]) -> None:
        """Put other contents in the place of an action's."""
        ...

    def delete_entry(self, collection: str, identifier: str) -> None:
        """Delete one entry; one that is gone already is no error."""
        ...

    def iter_entries(self, collection: str) -> Iterator[Document]:
        """Yield all entries of a collection, one request per page.

        Pages shift while others delete: an entry may be missed, or come twice.
        """
        for page in self.iter_pages(collection):
            yield from page

    def iter_pages(self, collection: str) -> Iterator[Sequence[Document]]:
        """Yield the pages of a collection, each asked for when it is wanted."""
        limit = PAGE_SIZES[collection]
        size = FIRST_PAGE_SIZES.get(collection, limit)
        offset = 0
        while True:
            page = self.get_page(collection, limit=size, offset=offset)
            yield page
            if len(page) < size:
                return
            offset += size
            size = min(size * _PAGE_GROWTH, limit)

    def search(self, collection: str, field: str, value: str) -> Sequence[Document]:
        """Return the entries in which a field, at any depth, has that value.

        Freezer loads the whole collection for it: to be used for single things only.
        """
        search = {"match": [{field: value}]}
        return self.get_page(collection, limit=PAGE_SIZES[collection], search=search)
