"""What the agent is told to do, for each verb.

Freezer 19.0.0 refuses ``remove_older_than: -1``, which Karbor's old plugin sent; ``"0"`` removes
all that is in the container, and each backup has a container of its own.
"""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core import Operation
from karbor_backup_freezer.agent.action_validation import REMOVAL_FIELDS
from karbor_backup_freezer.agent.escaping import escape
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.model.ids import item_prefix, job_id, record_id
from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_freezer.model.modes import MODES_WITH_ENGINE, backup_fields, selection_fields
from karbor_backup_freezer.model.resource_types import restore_path
from karbor_backup_freezer.model.storages import Storage

_REMOVE_ALL: Final = {"action": "admin", "remove_older_than": "0"}

_NATIVE_NAME_LIMIT: Final = 200
"""Characters of a backup's name that Cinder's own backup keeps, of at most 255 with the id."""

_MIN_TIMEOUT: Final = 120
"""Seconds that freezer-agent 19.0.0 waits for the cloud unless it is told otherwise."""


def backup_action(
    operation: Operation, index: int, item: BackupItem, location: BackupLocation, storage: Storage
) -> dict[str, Any]:
    """Return the action that backs up one item.

    Args:
        operation: the protect.
        index: the item's place in it.
        item: what to back up.
        location: where to; without a host's name the agent takes its own.
        storage: the storage.

    Raises:
        InvalidInput: the agent cannot be told so.
    """
    fields = {
        "action": "backup",
        **backup_fields(item),
        **storage.action_fields(),
        **_location_fields(location),
        **_temporary_resource_fields(operation, index, item),
    }
    if item.mode is Mode.NATIVE:
        # Such a container must not have a slash, and the agent takes it from here only.
        fields["cindernative_backup_container"] = native_container(location)
        fields["backup_name"] = escape(native_backup_name(operation))
        # Without one the scheduler makes a record beforehand, which it never completes: it names
        # neither the job nor Cinder's backup (freezer 19.0.0).
        fields["backup_id"] = record_id(job_id(operation.id), index)
    return fields


def restore_action(
    operation: Operation,
    index: int,
    stored: StoredItem,
    location: BackupLocation,
    storage: Storage,
    target: str = "",
) -> dict[str, Any]:
    """Return the action that restores one item.

    Args:
        operation: the restore.
        index: the item's place in it.
        stored: what to restore.
        location: where it is.
        storage: the storage that holds it.
        target: the volume that Cinder's own backup is to be restored to.

    Raises:
        InvalidInput: the agent could not restore to the path.
    """
    item = stored.item
    fields = {
        "action": "restore",
        **selection_fields(item),
        **storage.action_fields(),
        **_location_fields(location),
        **_temporary_resource_fields(operation, index, item),
    }
    if item.mode is Mode.NATIVE:
        fields |= {"cindernative_vol_id": target, "cindernative_backup_id": stored.native}
    if item.mode is Mode.FS:
        fields["restore_abs_path"] = escape(restore_path(item.resource, operation.options))
        fields["overwrite"] = bool(operation.options.get("overwrite", False))
    return fields


def removal_action(
    item: BackupItem, location: BackupLocation, storage: Storage
) -> dict[str, Any] | None:
    """Return the action that removes one item's data; None where Cinder keeps it."""
    fields = {**selection_fields(item), **storage.action_fields(), **_location_fields(location)}
    return removal_for_action(fields)


def removal_for_action(backup_action: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the action that removes what an action has stored; None where Cinder keeps it.

    The agent's own removal of Cinder's backups goes by age and takes whole chains.
    """
    if backup_action.get("mode") == Mode.NATIVE:
        return None
    kept = {
        key: value
        for key, value in backup_action.items()
        if value is not None and key in REMOVAL_FIELDS
    }
    if kept.get("mode") == Mode.GLANCE:
        # Seen with freezer 19.0.0: a backup adds the image's id to the name, a removal does not.
        kept["backup_name"] = f"{kept['backup_name']}/{kept['glance_image_id']}"
    return {**kept, **_REMOVE_ALL}


def native_backup_name(operation: Operation) -> str:
    """Return the name of Cinder's own backups of a protect; no other operation's have it."""
    name: str = operation.options["backup_name"]
    return f"{name[:_NATIVE_NAME_LIMIT]}_{operation.id}"


def native_container(location: BackupLocation) -> str:
    """Return the container that Freezer notes for Cinder's own backups of a protect."""
    return location.container.rpartition("/")[2]


def _location_fields(location: BackupLocation) -> dict[str, Any]:
    fields = {"container": escape(location.container), "backup_name": escape(location.backup_name)}
    # Named, so that any scheduler finds the backup under the same name later.
    return {**fields, "hostname": location.hostname} if location.hostname else fields


def _temporary_resource_fields(
    operation: Operation, index: int, item: BackupItem
) -> dict[str, Any]:
    """Return what tells an action's temporary things from others', and how long they may take."""
    if item.mode is Mode.FS:
        return {}
    fields: dict[str, Any] = {"temp_resource_prefix": item_prefix(job_id(operation.id), index)}
    if item.mode in MODES_WITH_ENGINE:
        whole = operation.deadline - operation.created_at
        fields["timeout"] = max(_MIN_TIMEOUT, int(whole.total_seconds()))
    return fields
