"""Resources for the contract's rules: real directories, and things in a scripted cloud."""

from collections.abc import Iterator
from typing import Any, Final

import attrs
from werkzeug.exceptions import NotFound

from karbor_backup_core import Resource
from karbor_backup_freezer.harness import DirectoryResources
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME
from tests.support.scripted_cloud import CloudState, FakeResource, block_storage, compute
from tests.support.scripted_cloud.defaults import FLAVOR, IMAGE, NETWORK

RESTORED: Final = "restored"
"""What a project's restored members are named after."""

_DATA: Final = "data"
_NODE: Final = "node"
_MIXED_UP: Final = b"disks that do not belong together"


@attrs.frozen
class ScriptedResources(DirectoryResources):
    """Directories, and volumes, servers and the project of a scripted cloud.

    A server that boots from a volume has a data volume beside it. A project is the one of the
    credentials; what is made for it is a volume and a server.

    Attributes:
        state: what there is in the cloud.
        project: the id of the project.
        boots_from_volume: whether servers do.
    """

    state: CloudState
    project: str
    boots_from_volume: bool = False

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a resource with the content; all of it is there at once."""
        if kind == DIRECTORY:
            return super().create(kind, name, content)
        with self.state.lock, self.state.without_delay():
            if kind == VOLUME:
                return Resource(kind, self._make_volume(name, content).id, name)
            if kind == SERVER:
                return Resource(kind, self._make_server(name, content).id, name)
            return self._make_project(name, content)

    def read(self, resource: Resource) -> bytes:
        """Return the content that all disks of the resource have."""
        if resource.type == DIRECTORY:
            return super().read(resource)
        with self.state.lock:
            contents = {disk.content for disk in self._iterate_disks(resource)}
        return contents.pop() if len(contents) == 1 else _MIXED_UP

    def write(self, resource: Resource, content: bytes) -> None:
        """Write all disks of the resource anew."""
        if resource.type == DIRECTORY:
            super().write(resource, content)
            return
        with self.state.lock:
            for disk in self._iterate_disks(resource):
                disk.content = content

    def delete(self, resource: Resource) -> None:
        """Remove a resource, a server with its volumes."""
        if resource.type == DIRECTORY:
            super().delete(resource)
            return
        with self.state.lock:
            for thing in self._find_resources(resource):
                self._remove_resource(thing)

    def list_present(self) -> Iterator[str]:
        """Return all that there are, and what was made of them in the cloud."""
        yield from super().list_present()
        yield from self.state.inventory

    def new_id(self, kind: str) -> str:
        """Return an id that no resource has had."""
        return super().new_id(kind)

    def _make_project(self, name: str, content: bytes) -> Resource:
        """Put members into the project, which is always the same one."""
        project = Resource(PROJECT, self.project, name)
        if not self._find_resources(project):
            self._make_volume(_DATA, content)
            self._make_server(_NODE, content)
        for disk in self._iterate_disks(project):
            disk.content = content
        return project

    def _make_volume(self, name: str, content: bytes, **asked: Any) -> FakeResource:
        asked = {"size": 1, "name": name, "metadata": {"made": "for the contract"}, **asked}
        volume = block_storage.new_volume(self.state, self.project, asked)
        volume.content = content
        return volume

    def _make_server(self, name: str, content: bytes) -> FakeResource:
        (flavor,), (network,) = (
            self._find_by_name("flavors", FLAVOR),
            self._find_by_name("networks", NETWORK),
        )
        (image,) = self._find_by_name("images", IMAGE)
        asked: dict[str, Any] = {
            "name": name,
            "flavorRef": flavor.id,
            "networks": [{"uuid": network.id}],
            "metadata": {"made": "for the contract"},
        }
        if not self.boots_from_volume:
            server = compute.new_server(self.state, self.project, {**asked, "imageRef": image.id})
            server.content = content
            return server
        boot = self._make_volume(f"{name}-boot", content, imageRef=image.id)
        data = self._make_volume(f"{name}-data", content)
        self.state.run_due()
        mapped = [
            {"uuid": volume.id, "source_type": "volume", "destination_type": "volume"}
            for volume in (boot, data)
        ]
        asked["block_device_mapping_v2"] = [{**mapped[0], "boot_index": 0}, mapped[1]]
        return compute.new_server(self.state, self.project, asked)

    def _find_by_name(self, kind: str, name: str) -> list[FakeResource]:
        resources: list[FakeResource] = getattr(self.state, kind).find_by_name(name)
        return resources

    def _iterate_disks(self, resource: Resource) -> Iterator[FakeResource]:
        for thing in self._find_resources(resource):
            if thing.id in self.state.servers and not thing.shown["image"]:
                yield from self._attached_volumes(thing)
            else:
                yield thing

    def _find_resources(self, resource: Resource) -> list[FakeResource]:
        """Return the volumes and servers that a resource is."""
        if resource.type == PROJECT:
            first = f"{RESTORED}-" if resource.name == RESTORED else ""
            volumes = self.state.volumes.find_by_name(f"{first}{_DATA}")
            return volumes + self.state.servers.find_by_name(f"{first}{_NODE}")
        known = self.state.volumes if resource.type == VOLUME else self.state.servers
        try:
            return [known.get(resource.id)]
        except NotFound:
            return []

    def _attached_volumes(self, server: FakeResource) -> list[FakeResource]:
        attached = server.shown["os-extended-volumes:volumes_attached"]
        return [self.state.volumes.get(each["id"]) for each in attached]

    def _remove_resource(self, thing: FakeResource) -> None:
        if thing.id in self.state.volumes:
            self.state.volumes.remove(thing)
            return
        volumes = self._attached_volumes(thing)
        compute.remove_server(self.state, thing)
        for volume in volumes:
            self.state.volumes.remove(volume)
