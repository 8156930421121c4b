"""Receipts and handles: what is noted of an operation, and what makes a backup restorable."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import attrs

from karbor_backup_cinder.documents import (
    FORMAT,
    HANDLE,
    RECEIPT,
    compute_digest,
    drop_missing,
    read_handle,
    read_receipt,
)
from karbor_backup_core import (
    Backup,
    InvalidInput,
    Json,
    Operation,
    Progress,
    ProgressState,
    Resource,
)

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume


@attrs.frozen(kw_only=True)
class SourceVolume:
    """What is noted of a volume to make one like it.

    Its metadata and the metadata of its image are in Cinder's backup itself.

    Attributes:
        id: its id.
        name: its name.
        size: in GiB.
        volume_type: the name of its type.
        availability_zone: its zone.
        description: its description.
        bootable: whether a server may boot from it.
    """

    id: str
    name: str = ""
    size: int
    volume_type: str = ""
    availability_zone: str = ""
    description: str = ""
    bootable: bool = False

    @classmethod
    def from_volume(cls, volume: "Volume | Any") -> Self:
        """Write down a volume."""
        return cls(
            id=volume.id,
            name=volume.name or "",
            size=int(volume.size),
            volume_type=volume.volume_type or "",
            availability_zone=volume.availability_zone or "",
            description=volume.description or "",
            bootable=bool(volume.is_bootable),
        )

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON, without what is empty."""
        return {"size": self.size, **drop_missing(**attrs.asdict(self))}


@attrs.frozen(kw_only=True)
class Receipt:
    """What an operation has noted.

    Attributes:
        step: the workflow's note of the step that was begun last.
        backup: the id of Cinder's backup that a protect makes.
        volume: the id of the volume that a restore writes to.
        source: the volume that is protected.
        parent: the id of the backup that an incremental one is probably based on.
        removing: whether the release has asked Cinder to remove what was made.
    """

    step: str = ""
    backup: str = ""
    volume: str = ""
    source: SourceVolume | None = None
    parent: str = ""
    removing: bool = False

    @classmethod
    def from_operation(cls, operation: Operation) -> Self:
        """Read an operation's receipt.

        Raises:
            BackendError: it was written by another version, or is damaged.
        """
        return read_receipt(operation, RECEIPT, cls._parse)

    @classmethod
    def _parse(cls, document: Json) -> Self:
        noted = {key: value for key, value in document.items() if key != "format"}
        source = noted.pop("source", None)
        return cls(**noted, source=None if source is None else SourceVolume(**source))

    @property
    def backups(self) -> Sequence[str]:
        """The id of Cinder's backup, if there is one."""
        return (self.backup,) if self.backup else ()

    def to_document(self) -> dict[str, Any]:
        """Return the receipt as JSON, without what is empty."""
        source = None if self.source is None else self.source.to_document()
        noted = attrs.asdict(self, recurse=False)
        return {"format": FORMAT, **drop_missing(**{**noted, "source": source})}

    def report(self, state: ProgressState, **more: Any) -> Progress:
        """Return a progress with this receipt."""
        return Progress(state, receipt=self.to_document(), **more)


@attrs.frozen(kw_only=True)
class Handle:
    """What makes a backup restorable.

    Attributes:
        backup: the id of Cinder's backup.
        source: the volume that it was made of.
    """

    backup: str
    source: SourceVolume

    @property
    def backups(self) -> Mapping[str, str]:
        """The volume that Cinder's backup was made of, by the backup's id."""
        return {self.backup: self.source.id}

    def to_document(self, backup_id: str) -> dict[str, Any]:
        """Return the handle of the backup of an id as JSON."""
        document = {"format": FORMAT, "backup": self.backup, "source": self.source.to_document()}
        return {**document, "digest": compute_digest(document, backup_id)}

    @classmethod
    def from_backup(cls, backup: Backup) -> Self:
        """Read a backup's handle.

        Raises:
            InvalidInput: it is of another format, damaged, or another backup's.
        """
        return read_handle(backup, HANDLE, cls._parse)

    @classmethod
    def _parse(cls, backup: Backup) -> Self:
        document = backup.handle
        handle = cls(backup=document["backup"], source=SourceVolume(**document["source"]))
        if handle.source.id != backup.resource.id:
            raise InvalidInput(f"it is of volume {handle.source.id}")
        return handle


def to_resource(kind: str, volume: "Volume | Any") -> Resource:
    """Return a volume as the core knows it."""
    return Resource(kind, volume.id, volume.name or "")
