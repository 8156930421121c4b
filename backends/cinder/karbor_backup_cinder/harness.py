"""A harness for the contract suite: volumes of its own, in a project that others may use.

What is written to a volume, and read of it, goes through Glance, as every user of a cloud may do
it. Each volume has the smallest size, 1 GiB, and Glance must have room for one of them.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from karbor_backup_cinder.config import Configuration
from karbor_backup_contract import Harness, Inventory
from karbor_backup_core import BackendError, Resource, Verb
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.metadata import MEMBER_KEY
from karbor_backup_openstack.resource_types import VOLUME
from karbor_backup_openstack.resources import CloudResources, ResourceKind
from karbor_backup_openstack.services import CloudServices
from karbor_backup_openstack.volume_actions import VolumeActions

TIMEOUT: Final = 600.0
"""Seconds for one operation, also of a Cinder that many use."""

_POLL_INTERVAL: Final = 0.5
MARK: Final = "contract"
"""Metadata of the volumes of a harness, which Cinder stores in their backups: the harness's id."""

_HEAD: Final = 8
"""Bytes of a volume that say how long its content is."""
_SECTOR: Final = 512
_CHUNK_SIZE: Final = 64 * 1024


@attrs.frozen
class VolumeResources:
    """Volumes, whose first bytes are their content.

    Attributes:
        services: the cloud.
        mark: the id of the harness.
        known: the ids of all volumes that there have been.
    """

    services: CloudServices
    mark: str
    known: set[str] = attrs.field(factory=set)

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a volume with the content."""
        with self._image_of(content) as image:
            with translate_errors("Cinder for a new volume"):
                volume: Any = self.services.sdk.block_storage.create_volume(
                    size=1, name=name, image_id=image, metadata={MARK: self.mark}
                )
            self.known.add(volume.id)
            self._wait_until_available(volume.id)
        return Resource(kind, volume.id, volume.name)

    def read(self, resource: Resource) -> bytes:
        """Return the content of a volume."""
        name = f"{self.mark}-{uuid.uuid4().hex}"
        image = VolumeActions(self.services, resource.id).upload_to_image(name)
        try:
            self._wait_until_available(resource.id)
            with translate_errors(f"Glance for image {image}"):
                return self._download_content(image)
        finally:
            self._remove_image(image)

    def write(self, resource: Resource, content: bytes) -> None:
        """Write a volume anew."""
        with self._image_of(content) as image:
            VolumeActions(self.services, resource.id).reimage(image)
            self._wait_until_available(resource.id)

    def delete(self, resource: Resource) -> None:
        """Remove a volume, and wait until it is gone."""
        resources = CloudResources(self.services)
        for _ in _until_timeout(f"volume {resource.id} to go"):
            volume = resources.get(ResourceKind.VOLUME, resource.id)
            if volume is None:
                return
            removal = resources.remove_resources(ResourceKind.VOLUME, [volume])
            if removal.leftovers:
                raise BackendError(f"volume {resource.id} stays: {removal.leftovers[0].note}")

    def list_present(self) -> Iterator[str]:
        """Yield all volumes of the harness, and their snapshots and backups."""
        storage = self.services.sdk.block_storage
        with translate_errors("Cinder for the volumes of the harness"):
            own = [volume for volume in storage.volumes() if self._is_own(volume)]
            self.known.update(volume.id for volume in own)
            yield from (f"volume/{volume.id}" for volume in own)
            for kind, listed in (("snapshot", storage.snapshots()), ("backup", storage.backups())):
                yield from (f"{kind}/{each.id}" for each in listed if each.volume_id in self.known)

    def _is_own(self, volume: Any) -> bool:
        marks = volume.metadata or {}
        return marks.get(MARK) == self.mark or marks.get(MEMBER_KEY) in self.known

    @contextlib.contextmanager
    def _image_of(self, content: bytes) -> Iterator[str]:
        """Yield an image for a volume with the content, which is removed at the end."""
        data = len(content).to_bytes(_HEAD) + content
        padded = data.ljust(-(-len(data) // _SECTOR) * _SECTOR, b"\0")
        with translate_errors("Glance for a new image"):
            image: Any = self.services.sdk.image.create_image(
                f"{self.mark}-{uuid.uuid4().hex}",
                data=padded,
                disk_format="raw",
                container_format="bare",
            )
        try:
            yield image.id
        finally:
            self._remove_image(image.id)

    def _download_content(self, image: str) -> bytes:
        """Return the content of a volume from an image, and leave the rest of it where it is."""
        from openstack.exceptions import raise_from_response

        response: Any = self.services.sdk.image.get(f"/images/{image}/file", stream=True)
        start: bytes = b""
        try:
            raise_from_response(response)
            for chunk in response.iter_content(_CHUNK_SIZE):
                start += chunk
                end = _HEAD + int.from_bytes(start[:_HEAD])
                if len(start) >= end:
                    return start[_HEAD:end]
        finally:
            response.close()
        return start[_HEAD:]

    def _remove_image(self, image: str) -> None:
        with translate_errors(f"Glance to remove image {image}"):
            self.services.sdk.image.delete_image(image)

    def _wait_until_available(self, volume: str) -> None:
        for _ in _until_timeout(f"volume {volume} to be available"):
            with translate_errors(f"Cinder for volume {volume}"):
                found: Any = self.services.sdk.block_storage.get_volume(volume)
            if found.status == "available":
                return
            if found.status.startswith("error"):
                raise BackendError(f"Cinder put volume {volume} in state {found.status}")


def _until_timeout(what: str) -> Iterator[None]:
    """Yield at once, and again after each pause.

    Raises:
        BackendError: it has taken too long.
    """
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        yield
        time.sleep(_POLL_INTERVAL)
    raise BackendError(f"waited {TIMEOUT:.0f} s for {what}")


@contextlib.contextmanager
def create_live_harness(
    make: Callable[[Mapping[str, Any]], Any], configuration: Mapping[str, Any]
) -> Iterator[Harness]:
    """Give a harness on the Cinder of a configuration, with volumes of its own.

    Args:
        make: makes the backend of a configuration.
        configuration: as the backend's constructor takes it.
    """
    services = CloudServices(Connection(Configuration.from_document(configuration)))
    volumes = VolumeResources(services, f"contract-{uuid.uuid4().hex}")
    yield Harness(
        create_backend=lambda: make(configuration),
        resources=volumes,
        resource_types=(VOLUME,),
        inventory=lambda: Inventory(data=volumes.list_present()),
        multi_phase_verbs=(Verb.PROTECT, Verb.RESTORE, Verb.DELETE),
        dependent_options={"incremental": "always"},
        poll_interval=_POLL_INTERVAL,
        timeout=TIMEOUT,
    )
