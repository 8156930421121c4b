"""What a protect covers, item by item: one item for each action of its job."""

import enum

import attrs

from karbor_backup_core import Check, Json, Resource
from karbor_backup_openstack.documents import Document
from karbor_backup_openstack.server_spec import ServerSpec


class Mode(enum.StrEnum):
    """Freezer's modes of a backup, by the agent's own words."""

    FS = "fs"
    NOVA = "nova"
    CINDER = "cinder"
    NATIVE = "cindernative"
    GLANCE = "glance"
    TENANT = "tenant"


@attrs.frozen(kw_only=True)
class BackupItem(Document):
    """What one action of a job backs up.

    Attributes:
        type: the resource's type.
        id: its id; of a directory its path.
        name: its name, where it has one.
        mode: the agent's mode.
        size: the bytes that the cloud says it has, None where it does not say. A volume's GiB
            are counted as 2**30 bytes.
        details: what is needed to make it again, as the cloud said it. Of a volume:
            ``volume_type``, ``availability_zone``, ``metadata``, ``bootable``,
            ``image_metadata``, ``multiattach``, ``description``.
    """

    type: str
    id: str
    name: str = ""
    mode: Mode
    size: int | None = None
    details: Json = attrs.field(factory=dict)

    @property
    def resource(self) -> Resource:
        """What it is a backup of."""
        return Resource(self.type, self.id, self.name)


@attrs.frozen(kw_only=True)
class DiscoveryResult(Document):
    """Everything that a protect of one resource covers.

    Attributes:
        resource: what is protected.
        items: what its job backs up, in the order of the job's actions.
        servers: the servers that a restore makes again.
        checks: what could not be made sure of, as unverified.
    """

    resource: Resource
    items: tuple[BackupItem, ...] = ()
    servers: tuple[ServerSpec, ...] = ()
    checks: tuple[Check, ...] = ()


@attrs.frozen(kw_only=True)
class StoredItem(Document):
    """An item after its protect.

    Attributes:
        item: what was backed up.
        record: the id of Freezer's record of it.
        time_stamp: when it was made by its scheduler's clock, in seconds since 1970.
        native: the id of Cinder's own backup, empty in every mode but ``cindernative``.
        stored: the bytes that were seen in the storage, None where nobody could look.
    """

    item: BackupItem
    record: str
    time_stamp: int
    native: str = ""
    stored: int | None = None
