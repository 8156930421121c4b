"""Receipts and handles of servers and projects."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

import attrs

from karbor_backup_cinder.documents import (
    FORMAT,
    SET_HANDLE,
    SET_RECEIPT,
    compute_digest,
    read_handle,
    read_receipt,
)
from karbor_backup_core import (
    Backup,
    Check,
    InvalidInput,
    Json,
    Operation,
    Progress,
    ProgressState,
    Resource,
)
from karbor_backup_openstack.documents import Document
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME
from karbor_backup_openstack.server_spec import ServerSpec


@attrs.frozen(kw_only=True)
class StoredVolume(Document):
    """A volume of a set, and Cinder's backup of it.

    Attributes:
        id: the volume's id.
        name: its name.
        size: in bytes.
        details: what is needed to make one like it.
        backup: the id of Cinder's backup, empty while there is none.
        parent: the id of the backup that this one is probably based on.
    """

    id: str
    name: str = ""
    size: int
    details: Json = attrs.field(factory=dict)
    backup: str = ""
    parent: str = ""

    @property
    def resource(self) -> Resource:
        """The volume as the core knows it."""
        return Resource(VOLUME, self.id, self.name)


@attrs.frozen(kw_only=True)
class SetReceipt:
    """What an operation on a set has noted.

    Attributes:
        step: the workflow's note of the step that was begun last.
        volumes: what a protect covers.
        servers: the servers that a restore makes again.
        images: the id of the image of each server that does not boot from a volume.
        checks: what a protect could not make sure of.
        restored: what a restore has noted of the resources that it makes.
        begun: the volumes to which a restore has begun to restore.
        removing: whether the release has asked Cinder to remove what was made.
    """

    step: str = ""
    volumes: tuple[StoredVolume, ...] = ()
    servers: tuple[ServerSpec, ...] = ()
    images: Mapping[str, str] = attrs.field(factory=dict)
    checks: tuple[Check, ...] = ()
    restored: Json = attrs.field(factory=dict)
    begun: tuple[str, ...] = ()
    removing: bool = False

    @classmethod
    def from_operation(cls, operation: Operation) -> Self:
        """Read an operation's receipt.

        Raises:
            BackendError: it was written by another version, or is damaged.
        """
        return read_receipt(operation, SET_RECEIPT, cls._parse)

    @classmethod
    def _parse(cls, document: Json) -> Self:
        checks = document.get("checks", ())
        return cls(
            step=document.get("step", ""),
            images=document.get("images", {}),
            checks=tuple(Check(name, verified=ok, reason=reason) for name, ok, reason in checks),
            restored=document.get("restored", {}),
            begun=tuple(document.get("begun", ())),
            removing=document.get("removing", False),
            **_read_contents(document),
        )

    @property
    def backups(self) -> Sequence[str]:
        """The ids of Cinder's backups that there are."""
        return [volume.backup for volume in self.volumes if volume.backup]

    def to_document(self) -> dict[str, Any]:
        """Return the receipt as JSON, without what is empty."""
        noted = {
            **attrs.asdict(self, recurse=False),
            "volumes": [volume.to_document() for volume in self.volumes],
            "servers": [server.to_document() for server in self.servers],
            "checks": [[c.name, c.verified, c.reason] for c in self.checks],
            "images": dict(self.images),
            "begun": list(self.begun),
        }
        return {"format": FORMAT, **{key: value for key, value in noted.items() if value}}

    def report(self, state: ProgressState, **more: Any) -> Progress:
        """Return a progress with this receipt."""
        return Progress(state, receipt=self.to_document(), **more)


@attrs.frozen(kw_only=True)
class SetHandle:
    """What makes the backup of a server or a project restorable.

    Attributes:
        volumes: its volumes, each with Cinder's backup.
        servers: the servers that a restore makes again.
        images: the id of the image of each server that does not boot from a volume.
    """

    volumes: tuple[StoredVolume, ...] = ()
    servers: tuple[ServerSpec, ...] = ()
    images: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def backups(self) -> Mapping[str, str]:
        """The volume that each of Cinder's backups was made of, by the backup's id."""
        return {volume.backup: volume.id for volume in self.volumes}

    def for_server(self, server: ServerSpec) -> Self:
        """Return the handle of one server with its volumes."""
        held = {one.volume for one in server.attachments if one.included}
        return attrs.evolve(
            self,
            volumes=tuple(volume for volume in self.volumes if volume.id in held),
            servers=(server,),
            images={key: image for key, image in self.images.items() if key == server.id},
        )

    def to_document(self, backup_id: str) -> dict[str, Any]:
        """Return the handle of the backup of an id, or of a member of that, as JSON."""
        document = {
            "format": FORMAT,
            "volumes": [volume.to_document() for volume in self.volumes],
            "servers": [server.to_document() for server in self.servers],
            "images": dict(self.images),
        }
        return {**document, "digest": compute_digest(document, backup_id)}

    @classmethod
    def from_backup(cls, backup: Backup) -> Self:
        """Read a backup's handle.

        Raises:
            InvalidInput: it is of another format, damaged, or another backup's.
        """
        return read_handle(backup, SET_HANDLE, cls._parse)

    @classmethod
    def _parse(cls, backup: Backup) -> Self:
        handle = cls(images=backup.handle["images"], **_read_contents(backup.handle))
        handle._check_resource(backup.resource)
        return handle

    def _check_resource(self, resource: Resource) -> None:
        """Refuse contents that cannot be those of the backup of a resource."""
        servers = {server.id for server in self.servers}
        if resource.type != PROJECT and servers != {resource.id}:
            raise InvalidInput(f"it is not of {resource.type} {resource.id}")
        lacking = _ids_of_images(self.servers) ^ set(self.images)
        attached = {a.volume for s in self.servers for a in s.attachments if a.included}
        lacking |= attached - {volume.id for volume in self.volumes}
        if lacking:
            raise InvalidInput(f"it lacks {', '.join(sorted(lacking))}, or has too much")


def server_resource(server: ServerSpec) -> Resource:
    """Return a server as the core knows it."""
    return Resource(SERVER, server.id, server.name)


def _ids_of_images(servers: Collection[ServerSpec]) -> set[str]:
    return {server.id for server in servers if not server.boots_from_volume}


def _read_contents(document: Json) -> dict[str, Any]:
    return {
        "volumes": tuple(StoredVolume.from_document(v) for v in document.get("volumes", ())),
        "servers": tuple(ServerSpec.from_document(s) for s in document.get("servers", ())),
    }
