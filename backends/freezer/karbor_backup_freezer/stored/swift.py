"""Looks at a storage of kind ``swift``, where it is in this project's account."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.cloud.faults import NotFound, asking
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.stored.layout import Place
from karbor_backup_freezer.stored.reader import OutOfReach, Reader

if TYPE_CHECKING:
    from requests import Response

_MANIFEST = "X-Object-Manifest"


@contextlib.contextmanager
def reading(services: CloudServices, place: Place) -> Iterator[Reader]:
    """Open a protect's part of a container.

    Raises:
        Transient: Swift cannot be asked now.
        OutOfReach: the container is not in this project's account, since a scheduler stores with
            credentials of its own; or the project may not read it; or the cloud has no Swift.
    """
    container, _, folder = place.container.partition("/")
    try:
        yield _Container(services, container, f"{folder}/")
    except NotFound as error:
        raise OutOfReach(
            f"this project's account in Swift has no container {container!r} that holds it: the "
            "scheduler stores in the account of its own project"
        ) from error
    except (Transient, OutOfReach):
        raise
    except BackendError as error:
        raise OutOfReach(str(error)) from error


@attrs.frozen
class _Container:
    services: CloudServices
    container: str
    prefix: str

    def sizes(self) -> Mapping[str, int]:
        with asking(f"Swift for container {self.container!r}"):
            listed = self.services.sdk.object_store.objects(self.container, prefix=self.prefix)
            return {o.name.removeprefix(self.prefix): int(o.content_length or 0) for o in listed}

    def notes(self, path: str) -> Any:
        """The agent's notes: an object's content, or the headers of one that joins segments."""
        headers = self._request("HEAD", path).headers
        if _MANIFEST in headers:
            return {name.lower(): value for name, value in headers.items()}
        return self._request("GET", path).json()

    def _request(self, method: str, path: str) -> "Response":
        from openstack.exceptions import raise_from_response

        # openstacksdk's own calls do not quote an object's name.
        url = quote(f"/{self.container}/{self.prefix}{path}")
        with asking(f"Swift for object {self.prefix}{path}"):
            response: Any = self.services.sdk.object_store.request(url, method)
            raise_from_response(response)
            answer: Response = response
            return answer
