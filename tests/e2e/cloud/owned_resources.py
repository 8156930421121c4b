"""Things to protect in a real cloud, made for one test and removed after it."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs
import tenacity
from openstack.connection import Connection
from openstack.exceptions import NotFoundException

from karbor_backup_core import Operation, Resource
from sandbox.openstack import guest
from sandbox.openstack.testing import CloudTestTools

_TIMEOUT: Final = 900.0
_BEING_DELETED: Final = {"deleting", "deleted", "soft_deleted"}


@tenacity.retry(
    retry=tenacity.retry_if_not_result(bool),
    wait=tenacity.wait_fixed(0.5),
    stop=tenacity.stop_after_delay(_TIMEOUT),
)
def wait_until(reached: Callable[[], Any]) -> Any:
    """Wait for what a service does in its own time, and return what was reached."""
    return reached()


@attrs.define
class OwnedResources:
    """What one test has in the cloud: all that has the test's name, or was named by it.

    Attributes:
        cloud_tools: the cloud, from inside.
        sdk: the cloud, as its users see it.
        top: how the names of all resources begin.
    """

    cloud_tools: CloudTestTools
    sdk: Connection
    top: str
    _named: set[str] = attrs.field(factory=set)

    def make_image(self, name: str, content: bytes | None = None, **more: Any) -> str:
        """Make an image; without content it is the guest, which tells the image's name."""
        if content is None:
            content, more = (
                self.cloud_tools.guest_image(name.encode()),
                {**guest.PROPERTIES, **more},
            )
        given = {"disk_format": "raw", "container_format": "bare", **more}
        return str(self.sdk.image.create_image(self._full_name(name), data=content, **given).id)

    def make_volume(self, name: str, content: bytes = b"", *, size: int = 1, **more: Any) -> str:
        """Make a volume that begins with some content."""
        storage = self.sdk.block_storage
        volume = storage.create_volume(name=self._full_name(name), size=size, **more)
        storage.wait_for_status(volume, "available", interval=0.3, wait=_TIMEOUT)
        if content:
            self.cloud_tools.write_volume(volume.id, 0, content)
        return str(volume.id)

    def make_server(self, name: str, image: str, **more: Any) -> str:
        """Make a server that boots from an image."""
        return self._create_server(name, image_id=image, **more)

    def make_server_from_volume(self, name: str, root: str, *data: str, **more: Any) -> str:
        """Make a server that boots from a volume, and has others beside it."""
        disks = [
            {
                "uuid": volume,
                "source_type": "volume",
                "destination_type": "volume",
                "boot_index": -1 if index else 0,
            }
            for index, volume in enumerate((root, *data))
        ]
        return self._create_server(name, block_device_mapping_v2=disks, **more)

    def made_by(self, operation: Operation) -> tuple[Resource, ...]:
        """Return what an operation has made; it is removed with the rest."""
        assert operation.outcome is not None
        self._named.update(resource.id for resource in operation.outcome.resources)
        return tuple(operation.outcome.resources)

    def remove_all(self) -> None:
        """Remove everything: servers before their volumes, backups before what they are of."""
        sdk = self.sdk
        self._remove_each(sdk.compute.servers, sdk.compute.delete_server)
        volumes = {volume.id for volume in self._select_own(sdk.block_storage.volumes())}
        for owned_resources, delete in (
            (sdk.block_storage.backups, sdk.block_storage.delete_backup),
            (sdk.block_storage.snapshots, sdk.block_storage.delete_snapshot),
        ):
            wait_until(lambda: _request_removal(_of_volumes(volumes, owned_resources()), delete))  # noqa: B023 - called at once
        self._remove_each(sdk.block_storage.volumes, sdk.block_storage.delete_volume)
        self._remove_each(sdk.image.images, sdk.image.delete_image)

    def _full_name(self, name: str) -> str:
        return f"{self.top}-{name}"

    def _create_server(self, name: str, networks: Iterable[str] = ("netA",), **more: Any) -> str:
        compute = self.sdk.compute
        ports = [{"uuid": self.sdk.network.find_network(each).id} for each in networks]
        given = {"flavor_id": compute.find_flavor("tiny").id, "networks": ports, **more}
        server = compute.create_server(name=self._full_name(name), **given)
        compute.wait_for_server(server, interval=0.5, wait=_TIMEOUT)
        return str(server.id)

    def _select_own(self, owned_resources: Iterable[Any]) -> list[Any]:
        return [
            each
            for each in owned_resources
            if each.id in self._named or self.top in (each.name or "")
        ]

    def _remove_each(
        self, owned_resources: Callable[[], Iterable[Any]], delete: Callable[[Any], Any]
    ) -> None:
        wait_until(lambda: _request_removal(self._select_own(owned_resources()), delete))


def _of_volumes(volumes: set[str], owned_resources: Iterable[Any]) -> list[Any]:
    return [each for each in owned_resources if each.volume_id in volumes]


def _request_removal(owned_resources: Iterable[Any], delete: Callable[[Any], Any]) -> bool:
    """Whether nothing is there any more; what is there is asked to go, if it does not already."""
    owned_resources = list(owned_resources)
    for each in owned_resources:
        if each.status.lower() not in _BEING_DELETED:
            try:
                delete(each)
            except NotFoundException:
                continue
    return not owned_resources
