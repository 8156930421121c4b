"""Things to protect in a real cloud, made for one test and removed after it."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs
import tenacity
from openstack.connection import Connection
from openstack.exceptions import NotFoundException

from karbor_backup_core import Operation, Resource
from sandbox.openstack import guest
from sandbox.openstack.lab import CloudLab

_PATIENCE: Final = 180.0
_LEAVING: Final = {"deleting", "deleted", "soft_deleted"}


@tenacity.retry(
    retry=tenacity.retry_if_not_result(bool),
    wait=tenacity.wait_fixed(0.5),
    stop=tenacity.stop_after_delay(_PATIENCE),
)
def until(reached: Callable[[], Any]) -> Any:
    """Wait for what a service does in its own time, and return what was reached."""
    return reached()


@attrs.define
class Things:
    """What one test has in the cloud: all that has the test's name, or was named by it.

    Attributes:
        lab: the cloud, from inside.
        sdk: the cloud, as its users see it.
        top: how the names of all things begin.
    """

    lab: CloudLab
    sdk: Connection
    top: str
    _named: set[str] = attrs.field(factory=set)

    def image(self, name: str, content: bytes | None = None, **more: Any) -> str:
        """Make an image; without content it is the guest, which tells the image's name."""
        if content is None:
            content, more = self.lab.guest_image(name.encode()), {**guest.PROPERTIES, **more}
        given = {"disk_format": "raw", "container_format": "bare", **more}
        return str(self.sdk.image.create_image(self._called(name), data=content, **given).id)

    def volume(self, name: str, content: bytes = b"", *, size: int = 1, **more: Any) -> str:
        """Make a volume that begins with some content."""
        storage = self.sdk.block_storage
        volume = storage.create_volume(name=self._called(name), size=size, **more)
        storage.wait_for_status(volume, "available", interval=0.3, wait=_PATIENCE)
        if content:
            self.lab.write_volume(volume.id, 0, content)
        return str(volume.id)

    def server(self, name: str, image: str, **more: Any) -> str:
        """Make a server that boots from an image."""
        return self._server(name, image_id=image, **more)

    def server_from_volume(self, name: str, root: str, *data: str, **more: Any) -> str:
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
        return self._server(name, block_device_mapping_v2=disks, **more)

    def made(self, operation: Operation) -> tuple[Resource, ...]:
        """Return what an operation has made; it is removed with the rest."""
        assert operation.outcome is not None
        self._named.update(resource.id for resource in operation.outcome.resources)
        return tuple(operation.outcome.resources)

    def remove(self) -> None:
        """Remove everything: servers before their volumes, backups before what they are of."""
        sdk = self.sdk
        self._all(sdk.compute.servers, sdk.compute.delete_server)
        volumes = {volume.id for volume in self._mine(sdk.block_storage.volumes())}
        for things, delete in (
            (sdk.block_storage.backups, sdk.block_storage.delete_backup),
            (sdk.block_storage.snapshots, sdk.block_storage.delete_snapshot),
        ):
            until(lambda: _gone(_of(volumes, things()), delete))  # noqa: B023 - called at once
        self._all(sdk.block_storage.volumes, sdk.block_storage.delete_volume)
        self._all(sdk.image.images, sdk.image.delete_image)

    def _called(self, name: str) -> str:
        return f"{self.top}-{name}"

    def _server(self, name: str, networks: Iterable[str] = ("netA",), **more: Any) -> str:
        compute = self.sdk.compute
        ports = [{"uuid": self.sdk.network.find_network(each).id} for each in networks]
        given = {"flavor_id": compute.find_flavor("tiny").id, "networks": ports, **more}
        server = compute.create_server(name=self._called(name), **given)
        compute.wait_for_server(server, interval=0.5, wait=_PATIENCE)
        return str(server.id)

    def _mine(self, things: Iterable[Any]) -> list[Any]:
        return [each for each in things if each.id in self._named or self.top in (each.name or "")]

    def _all(self, things: Callable[[], Iterable[Any]], delete: Callable[[Any], Any]) -> None:
        until(lambda: _gone(self._mine(things()), delete))


def _of(volumes: set[str], things: Iterable[Any]) -> list[Any]:
    return [each for each in things if each.volume_id in volumes]


def _gone(things: Iterable[Any], delete: Callable[[Any], Any]) -> bool:
    """Whether nothing is there any more; what is there is asked to go, if it does not already."""
    things = list(things)
    for each in things:
        if each.status.lower() not in _LEAVING:
            try:
                delete(each)
            except NotFoundException:
                continue
    return not things
