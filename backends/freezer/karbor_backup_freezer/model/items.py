"""What a protect covers, item by item: one item for each action of its job.

The documents are compact, since receipts and handles are bounded: what has its default value is
not written.
"""

import enum
import functools
from typing import TYPE_CHECKING, Any, Self

import attrs

from karbor_backup_core import Check, InvalidDocument, Json, Resource

if TYPE_CHECKING:
    from cattrs import Converter


class Mode(enum.StrEnum):
    """Freezer's modes of a backup, by the agent's own words."""

    FS = "fs"
    NOVA = "nova"
    CINDER = "cinder"
    NATIVE = "cindernative"
    GLANCE = "glance"
    TENANT = "tenant"


class _Document:
    """Something that is kept in a receipt or a handle."""

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON."""
        document: dict[str, Any] = _converter().unstructure(self)
        return document

    @classmethod
    def from_document(cls, document: Json) -> Self:
        """Read what ``document`` has written.

        Raises:
            InvalidDocument: it is damaged, or a later version has written it.
        """
        import cattrs

        if not isinstance(document, dict):
            what = type(document).__name__
            raise InvalidDocument(f"{cls.__name__} document", [f"$: {what} is no object"])
        try:
            return _converter().structure(document, cls)
        except (cattrs.BaseValidationError, cattrs.StructureHandlerNotFoundError) as error:
            problems = cattrs.transform_error(error, "$")
            raise InvalidDocument(f"{cls.__name__} document", problems) from None


@attrs.frozen(kw_only=True)
class BackupItem(_Document):
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
class Attachment(_Document):
    """A volume of a server.

    Attributes:
        volume: the volume's id.
        device: the device's name in the server, such as ``/dev/vdb``.
        boot_index: its place in the boot order, None where it has none.
        delete_on_termination: whether it goes with the server.
        included: whether an item holds its data.
    """

    volume: str
    device: str = ""
    boot_index: int | None = None
    delete_on_termination: bool = False
    included: bool


@attrs.frozen(kw_only=True)
class ServerSpec(_Document):
    """What is needed to make a server again.

    Attributes:
        id: the server's id.
        name: its name.
        boots_from_volume: whether its system is on a volume.
        attachments: its volumes.
        details: ``flavor`` (id, name, vcpus, ram, disk), ``networks`` (of each: network,
            network_name, fixed_ips, mac, port, security_groups, allowed_address_pairs),
            ``key_name``,
            ``availability_zone``, ``metadata``, ``config_drive``, ``tags``, ``description``, and of
            its image the properties that shape the machine, ``image_properties``.
    """

    id: str
    name: str
    boots_from_volume: bool
    attachments: tuple[Attachment, ...] = ()
    details: Json = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class DiscoveryResult(_Document):
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
class StoredItem(_Document):
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


@functools.cache
def _converter() -> "Converter":
    import cattrs

    converter = cattrs.Converter(
        omit_if_default=True,
        forbid_extra_keys=True,
        unstruct_collection_overrides={tuple: list},
    )
    for primitive in (str, int, bool):
        converter.register_structure_hook(primitive, _structure_exactly)
    converter.register_structure_hook(enum.StrEnum, lambda value, cls: cls(value))
    converter.register_structure_hook_func(lambda cls: bool(cls == Json), _structure_object)
    return converter


def _structure_exactly(value: Any, cls: type[Any]) -> Any:
    # cattrs would convert: 5 to "5", "false" to True.
    if type(value) is not cls:
        raise TypeError(f"expected {cls.__name__}, got {type(value).__name__}")
    return value


def _structure_object(value: Any, _: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value
