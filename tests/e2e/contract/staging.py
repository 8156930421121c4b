"""Resources for the contract's rules: real directories, and things in a scripted cloud."""

from collections.abc import Iterator
from typing import Any, Final

import attrs
from werkzeug.exceptions import NotFound

from karbor_backup_core import Resource
from karbor_backup_freezer.bench import Directories
from karbor_backup_freezer.resources import DIRECTORY, PROJECT, SERVER, VOLUME
from sandbox.scripted_cloud import Thing, World, disks, machines
from sandbox.scripted_cloud.furniture import FLAVOR, IMAGE, NETWORK

RESTORED: Final = "restored"
"""What a project's restored members are named after."""

_DATA: Final = "data"
_NODE: Final = "node"
_MIXED_UP: Final = b"disks that do not belong together"


@attrs.frozen
class Staged(Directories):
    """Directories, and volumes, servers and the project of a scripted cloud.

    A server that boots from a volume has a data volume beside it. A project is the one of the
    credentials; what is made for it is a volume and a server.

    Attributes:
        world: what there is in the cloud.
        project: the id of the project.
        boots_from_volume: whether servers do.
    """

    world: World
    project: str
    boots_from_volume: bool = False

    def make(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a resource with the content; all of it is there at once."""
        if kind == DIRECTORY:
            return super().make(kind, name, content)
        with self.world.lock, self.world.at_once():
            if kind == VOLUME:
                return Resource(kind, self._volume(name, content).id, name)
            if kind == SERVER:
                return Resource(kind, self._server(name, content).id, name)
            return self._make_project(name, content)

    def read(self, resource: Resource) -> bytes:
        """Answer the content that all disks of the resource have."""
        if resource.type == DIRECTORY:
            return super().read(resource)
        with self.world.lock:
            contents = {disk.content for disk in self._disks(resource)}
        return contents.pop() if len(contents) == 1 else _MIXED_UP

    def write(self, resource: Resource, content: bytes) -> None:
        """Write all disks of the resource anew."""
        if resource.type == DIRECTORY:
            super().write(resource, content)
            return
        with self.world.lock:
            for disk in self._disks(resource):
                disk.content = content

    def remove(self, resource: Resource) -> None:
        """Remove a resource, a server with its volumes."""
        if resource.type == DIRECTORY:
            super().remove(resource)
            return
        with self.world.lock:
            for thing in self._things(resource):
                self._remove(thing)

    def present(self) -> Iterator[str]:
        """Answer all that there are, and what was made of them in the cloud."""
        yield from super().present()
        yield from self.world.inventory

    def new_id(self, kind: str) -> str:
        """Answer an id that no resource has had."""
        return super().new_id(kind)

    def _make_project(self, name: str, content: bytes) -> Resource:
        """Put members into the project, which is always the same one."""
        project = Resource(PROJECT, self.project, name)
        if not self._things(project):
            self._volume(_DATA, content)
            self._server(_NODE, content)
        for disk in self._disks(project):
            disk.content = content
        return project

    def _volume(self, name: str, content: bytes, **asked: Any) -> Thing:
        asked = {"size": 1, "name": name, "metadata": {"made": "for the contract"}, **asked}
        volume = disks.new_volume(self.world, self.project, asked)
        volume.content = content
        return volume

    def _server(self, name: str, content: bytes) -> Thing:
        (flavor,), (network,) = self._named("flavors", FLAVOR), self._named("networks", NETWORK)
        (image,) = self._named("images", IMAGE)
        asked: dict[str, Any] = {
            "name": name,
            "flavorRef": flavor.id,
            "networks": [{"uuid": network.id}],
            "metadata": {"made": "for the contract"},
        }
        if not self.boots_from_volume:
            server = machines.new_server(self.world, self.project, {**asked, "imageRef": image.id})
            server.content = content
            return server
        boot = self._volume(f"{name}-boot", content, imageRef=image.id)
        data = self._volume(f"{name}-data", content)
        self.world.settle()
        mapped = [
            {"uuid": volume.id, "source_type": "volume", "destination_type": "volume"}
            for volume in (boot, data)
        ]
        asked["block_device_mapping_v2"] = [{**mapped[0], "boot_index": 0}, mapped[1]]
        return machines.new_server(self.world, self.project, asked)

    def _named(self, kind: str, name: str) -> list[Thing]:
        found: list[Thing] = getattr(self.world, kind).named(name)
        return found

    def _disks(self, resource: Resource) -> Iterator[Thing]:
        for thing in self._things(resource):
            if thing.id in self.world.servers and not thing.shown["image"]:
                yield from self._volumes_of(thing)
            else:
                yield thing

    def _things(self, resource: Resource) -> list[Thing]:
        """Answer the volumes and servers that a resource is."""
        if resource.type == PROJECT:
            first = f"{RESTORED}-" if resource.name == RESTORED else ""
            volumes = self.world.volumes.named(f"{first}{_DATA}")
            return volumes + self.world.servers.named(f"{first}{_NODE}")
        known = self.world.volumes if resource.type == VOLUME else self.world.servers
        try:
            return [known.get(resource.id)]
        except NotFound:
            return []

    def _volumes_of(self, server: Thing) -> list[Thing]:
        attached = server.shown["os-extended-volumes:volumes_attached"]
        return [self.world.volumes.get(each["id"]) for each in attached]

    def _remove(self, thing: Thing) -> None:
        if thing.id in self.world.volumes:
            self.world.volumes.remove(thing)
            return
        volumes = self._volumes_of(thing)
        machines.remove_server(self.world, thing)
        for volume in volumes:
            self.world.volumes.remove(volume)
