"""What a handle, a receipt or a discovery may say, checked whenever one is read.

They come back from stores, from Karbor's bank and from files that anybody may have written. What
is read is held to the rules by which it was written, before anything is done with it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import Backup, InvalidInput, Resource
from karbor_backup_freezer.agent.escaping import (
    check_backup_name,
    check_client,
    check_container,
    check_hostname,
    check_identifier,
    check_path,
    check_version,
)
from karbor_backup_freezer.model.details import check_details
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_openstack.resource_types import (
    IMAGE,
    PROJECT,
    SERVER,
    VOLUME,
)
from karbor_backup_openstack.server_spec import ServerSpec

if TYPE_CHECKING:
    from karbor_backup_freezer.model.handle import Handle
    from karbor_backup_freezer.model.receipt import Receipt

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DEVICE: Final = re.compile(r"[A-Za-z0-9/_.-]*")
_FORBIDDEN_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
"""What no service tells and none takes: NUL, and what UTF-8 does not have."""

_MAX_TIME: Final = 2**40
_MAX_SIZE: Final = 2**63 - 1

_TYPES: Final[Mapping[Mode, str]] = {
    Mode.FS: DIRECTORY,
    Mode.NOVA: SERVER,
    Mode.CINDER: VOLUME,
    Mode.NATIVE: VOLUME,
    Mode.GLANCE: IMAGE,
    Mode.TENANT: PROJECT,
}


def check_handle(handle: "Handle", backup: Backup) -> None:
    """Check what a handle says of a backup, as far as it can be without the configuration.

    Raises:
        InvalidInput: something of it can never have been written for this backup.
    """
    whole = backup.whole_id
    if not _UUID.fullmatch(whole):
        raise InvalidInput(f"{whole!r} is not the id of a backup")
    if handle.kind not in set(StorageKind):
        raise InvalidInput(f"kind {handle.kind!r}: no storage has this kind")
    check_container("container", handle.container)
    if handle.container.rpartition("/")[2] != whole:
        raise InvalidInput(f"container {handle.container!r} is not the container of this backup")
    check_backup_name(handle.backup_name)
    check_origin(handle)
    if handle.job != (job_id(whole) if handle.items else ""):
        raise InvalidInput(f"job {handle.job!r} did not make this backup")
    for stored in handle.items:
        _check_stored_item(stored)
    check_contents(backup.resource, [s.item for s in handle.items], handle.servers)


def check_origin(notes: "Handle | Receipt") -> None:
    """Check what is noted of who made a backup, as far as it is noted.

    Raises:
        InvalidInput: no host, scheduler or freezer-agent can be called so.
    """
    if notes.hostname:
        check_hostname("hostname", notes.hostname)
    if notes.client:
        check_client("client", notes.client)
    if notes.agent_version:
        check_version("agent_version", notes.agent_version)


def check_contents(
    resource: Resource, items: Sequence[BackupItem], servers: Sequence[ServerSpec]
) -> None:
    """Check what is said to be in the backup of a resource.

    Raises:
        InvalidInput: something of it cannot be, or cannot be in this backup.
    """
    for item in items:
        _check_item(item)
    for server in servers:
        _check_server(server)
    ids = [item.id for item in items]
    if len(set(ids)) < len(ids) or len({server.id for server in servers}) < len(servers):
        raise InvalidInput("it contains the same resource twice")
    attached = {a.volume for server in servers for a in server.attachments if a.included}
    if attached - set(ids):
        raise InvalidInput(
            f"volumes {sorted(attached - set(ids))} are listed as its members and are not in it"
        )
    _check_belongs_to_resource(resource, items, servers, attached)


def check_count(what: str, number: Any, highest: int) -> None:
    """Check a number that something is repeated by.

    Raises:
        InvalidInput: it is no whole number from 0 to the highest.
    """
    if type(number) is not int or not 0 <= number <= highest:
        raise InvalidInput(f"{what} {number!r} is not a number from 0 to {highest}")


def check_texts(value: Any) -> None:
    """Check that every text at any depth is one that a service may have told.

    Raises:
        InvalidInput: one holds NUL, or what UTF-8 does not have.
    """
    for text in _iter_texts(value):
        if _FORBIDDEN_TEXT.search(text):
            raise InvalidInput(f"{text!r} contains NUL or is not valid UTF-8")


def _check_belongs_to_resource(
    resource: Resource,
    items: Sequence[BackupItem],
    servers: Sequence[ServerSpec],
    attached: AbstractSet[str],
) -> None:
    """Check that what is in a backup belongs to the resource that it is a backup of."""
    kinds = {item.mode: item.id for item in items}
    match resource.type:
        case t if t == PROJECT:
            if kinds.get(Mode.TENANT, resource.id) != resource.id:
                raise InvalidInput(f"project {kinds[Mode.TENANT]} is not {resource.id}")
            own = {server.id for server in servers}
            strange = Mode.TENANT in kinds and not servers
        case t if t == SERVER:
            own = {resource.id}
            strange = {server.id for server in servers} != own
        case _:
            own = {resource.id}
            strange = bool(servers) or len(items) != 1 or items[0].type != resource.type
    # The name of a directory is the one that was given; the others are what a service said.
    if resource.type == DIRECTORY:
        strange |= any(item.name != resource.name for item in items)
    beside = {
        item.id
        for item in items
        if (resource.type != PROJECT or item.mode is Mode.NOVA) and item.id not in own
    }
    if strange or beside - attached:
        raise InvalidInput(f"its content is not that of a backup of {resource.type}")


def _check_stored_item(stored: StoredItem) -> None:
    check_identifier("record", stored.record)
    check_count("time_stamp", stored.time_stamp, _MAX_TIME)
    if stored.stored is not None:
        check_count("stored", stored.stored, _MAX_SIZE)
    if stored.item.mode is Mode.NATIVE:
        check_identifier("native", stored.native)
    elif stored.native:
        raise InvalidInput(f"native {stored.native!r}: Cinder keeps no backup of this mode")


def _check_item(item: BackupItem) -> None:
    if _TYPES[item.mode] != item.type:
        raise InvalidInput(f"mode {item.mode}: no action backs up {item.type} in this mode")
    if item.mode is Mode.FS:
        check_path("directory", item.id)
    else:
        check_identifier(item.type, item.id)
    if item.size is not None:
        check_count("size", item.size, _MAX_SIZE)
    check_details(item.type if item.type in (DIRECTORY, VOLUME, IMAGE) else "", item.details)


def _check_server(server: ServerSpec) -> None:
    check_identifier(SERVER, server.id)
    for attachment in server.attachments:
        check_identifier(VOLUME, attachment.volume)
        if not _DEVICE.fullmatch(attachment.device):
            raise InvalidInput(f"device {attachment.device!r} is not the name of a device")
        if attachment.boot_index is not None:
            check_count("boot_index", attachment.boot_index, _MAX_TIME)
    check_details(SERVER, server.details)


def _iter_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _iter_texts(name)
            yield from _iter_texts(inner)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from _iter_texts(inner)
