"""What the agent is told to do, for each verb.

Freezer 19.0.0 refuses ``remove_older_than: -1``, which Karbor's old plugin sent; ``"0"`` removes
all that is in the container, and each backup has a container of its own.
"""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core import Backup, InvalidInput, Operation, Unsupported
from karbor_backup_freezer.agent_text import check_backup_name, escaped
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.resources import KINDS, Kind
from karbor_backup_freezer.restorable import verdict
from karbor_backup_freezer.storages import Storage, find_storage

_REMOVE_ALL: Final = {"action": "admin", "remove_older_than": "0"}
_NOT_FOR_REMOVAL: Final = frozenset({"path_to_backup", "log_file", "timeout", "priority"})


def kind_of(resource_type: str) -> Kind:
    """Answer how Freezer treats that type.

    Raises:
        Unsupported: it does not.
    """
    try:
        return KINDS[resource_type]
    except KeyError:
        known = ", ".join(sorted(KINDS))
        raise Unsupported(f"Freezer does not back up {resource_type} (it does: {known})") from None


def backup_action(
    operation: Operation, storage: Storage, configuration: Configuration
) -> dict[str, Any]:
    """The action of a protect, but for the host's name.

    Raises:
        InvalidInput: an option cannot be carried out, or the data could not be brought back.
    """
    kind = kind_of(operation.resource.type)
    name = check_backup_name(operation.options["backup_name"])
    container = storage.container(configuration.container, operation.id)
    judged = verdict(configuration.agent_version, operation.resource.type, storage.kind)
    if not judged.restorable and not operation.options.get("allow_unrestorable", False):
        raise InvalidInput(
            f"storage {storage.name!r}: freezer-agent {configuration.agent_version} could not "
            f"restore {operation.resource.type} from {storage.kind}: {judged.reason}; choose "
            "another storage, or give the option 'allow_unrestorable'"
        )
    return {
        "action": "backup",
        **kind.backup_fields(operation.resource),
        **storage.action_fields(),
        "container": escaped(container),
        "backup_name": escaped(name),
    }


def restore_action(
    backup: Backup, handle: Handle, storage: Storage, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The action of a restore.

    Raises:
        InvalidInput: the agent could not restore to the path.
    """
    kind = kind_of(backup.resource.type)
    return {
        "action": "restore",
        **kind.restore_fields(backup.resource, options),
        **storage.action_fields(),
        **_place(handle),
    }


def removal_action(backup: Backup, handle: Handle, storage: Storage) -> dict[str, Any]:
    """The action that removes a backup's data."""
    kind = kind_of(backup.resource.type)
    return {
        **_REMOVE_ALL,
        **kind.selection(backup.resource),
        **storage.action_fields(),
        **_place(handle),
    }


def removal_of(backup_fields: Mapping[str, Any]) -> dict[str, Any]:
    """The action that removes what the action with these fields has stored."""
    kept = {
        key: value
        for key, value in backup_fields.items()
        if value is not None and key not in _NOT_FOR_REMOVAL
    }
    return {**kept, **_REMOVE_ALL}


def storage_of(backup: Backup, handle: Handle, configuration: Configuration) -> Storage:
    """Answer the storage that holds a backup.

    Raises:
        InvalidInput: it is not configured, or is of another kind now, or the backup was made in
            a mode that this version does not restore.
    """
    kind = kind_of(backup.resource.type)
    if handle.mode != kind.mode:
        raise InvalidInput(
            f"backup {backup.id} was made in mode {handle.mode!r} and this version restores "
            f"{backup.resource.type} from mode {kind.mode!r}"
        )
    storage = find_storage(configuration.storages, backup.storage)
    if storage.kind.value != handle.kind:
        raise InvalidInput(
            f"backup {backup.id} is on a storage of kind {handle.kind!r}, but storage "
            f"{storage.name!r} is of kind {storage.kind.value!r} now"
        )
    return storage


def _place(handle: Handle) -> dict[str, Any]:
    return {
        "container": escaped(handle.container),
        "backup_name": escaped(handle.backup_name),
        "hostname": handle.hostname,
    }
