"""Looks at a storage of kind ``swift``, where it is in this project's account."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.reader import (
    METADATA_LIMIT,
    StorageReader,
    StorageUnreachable,
    parse_metadata,
)
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from requests import Response

_MANIFEST_HEADER = "X-Object-Manifest"


@contextlib.contextmanager
def open_reader(services: CloudServices, location: BackupLocation) -> Iterator[StorageReader]:
    """Open a protect's part of a container.

    Raises:
        Transient: Swift cannot be asked now.
        StorageUnreachable: the container is not in this project's account, since a scheduler stores
            with credentials of its own; or the project may not read it; or the cloud has no Swift.
    """
    container, _, folder = location.container.partition("/")
    try:
        yield _SwiftContainer(services, container, f"{folder}/")
    except NotFound as error:
        raise StorageUnreachable(
            f"this project's account in Swift has no container {container!r} that holds it: the "
            "scheduler stores in the account of its own project"
        ) from error
    except (Transient, StorageUnreachable):
        raise
    except BackendError as error:
        raise StorageUnreachable(str(error)) from error


@attrs.frozen
class _SwiftContainer:
    services: CloudServices
    container: str
    prefix: str

    def list_sizes(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        page: Any = self._get_page("")
        while page:
            found |= {entry["name"].removeprefix(self.prefix): entry["bytes"] for entry in page}
            page = self._get_page(page[-1]["name"])
        return found

    def read_metadata(self, path: str) -> Any:
        """Return the agent's metadata: an object's content, or the headers of a segmented one."""
        headers = self._request("HEAD", f"{self.prefix}{path}").headers
        if _MANIFEST_HEADER in headers:
            return {name.lower(): value for name, value in headers.items()}
        # requests reads an answer as a whole, and unpacks what the object says is packed.
        if int(headers["Content-Length"]) > METADATA_LIMIT or headers.get("Content-Encoding"):
            raise ValueError(f"{path} is packed, or of more than {METADATA_LIMIT} bytes")
        return parse_metadata(self._request("GET", f"{self.prefix}{path}").content)

    def _get_page(self, marker: str) -> Any:
        """Return the objects after one of that name, as many as Swift gives at a time."""
        params = {"format": "json", "prefix": self.prefix, "marker": marker}
        return self._request("GET", "", params=params).json()

    def _request(self, method: str, name: str, **more: Any) -> "Response":
        """Send a request; openstacksdk's own calls do not quote the name of an object."""
        from openstack.exceptions import raise_from_response

        url = quote(f"/{self.container}/{name}".rstrip("/"))
        with translate_errors(f"Swift for {self.container}/{name or self.prefix}"):
            response: Response = self.services.sdk.object_store.request(url, method, **more)
            raise_from_response(response)
            return response
