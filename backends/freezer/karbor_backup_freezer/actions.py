"""What the agent is told to do, for each verb.

Freezer 19.0.0 refuses ``remove_older_than: -1``, which Karbor's old plugin sent; ``"0"`` removes
all that is in the container, and each backup has a container of its own.
"""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core import Operation
from karbor_backup_freezer.action_rules import REMOVAL_FIELDS
from karbor_backup_freezer.agent_text import escaped
from karbor_backup_freezer.identifiers import job_id, piece_prefix, record_id
from karbor_backup_freezer.modes import WITH_ENGINE, backup_fields, selection_fields
from karbor_backup_freezer.pieces import Mode, Piece, StoredPiece
from karbor_backup_freezer.resources import restore_path
from karbor_backup_freezer.storages import Storage
from karbor_backup_freezer.stored.layout import Place

_REMOVE_ALL: Final = {"action": "admin", "remove_older_than": "0"}

_NATIVE_NAME_ROOM: Final = 200
"""Characters of a backup's name that Cinder's own backup keeps, of at most 255 with the id."""

_SHORTEST_TIMEOUT: Final = 120
"""Seconds that freezer-agent 19.0.0 waits for the cloud unless it is told otherwise."""


def backup_action(
    operation: Operation, index: int, piece: Piece, place: Place, storage: Storage
) -> dict[str, Any]:
    """The action that backs up one piece.

    Args:
        operation: the protect.
        index: the piece's place in it.
        piece: what to back up.
        place: where to; without a host's name the agent takes its own.
        storage: the storage.

    Raises:
        InvalidInput: the agent cannot be told so.
    """
    fields = {
        "action": "backup",
        **backup_fields(piece),
        **storage.action_fields(),
        **_place_fields(place),
        **_marks(operation, index, piece),
    }
    if piece.mode is Mode.NATIVE:
        # Such a container must not have a slash, and the agent takes it from here only.
        fields["cindernative_backup_container"] = native_container(place)
        fields["backup_name"] = escaped(native_name(operation))
        # Without one the scheduler makes a record beforehand, which it never completes: it names
        # neither the job nor Cinder's backup (freezer 19.0.0).
        fields["backup_id"] = record_id(job_id(operation.id), index)
    return fields


def restore_action(
    operation: Operation,
    index: int,
    stored: StoredPiece,
    place: Place,
    storage: Storage,
    target: str = "",
) -> dict[str, Any]:
    """The action that restores one piece.

    Args:
        operation: the restore.
        index: the piece's place in it.
        stored: what to restore.
        place: where it is.
        storage: the storage that holds it.
        target: the volume that Cinder's own backup is to be restored to.

    Raises:
        InvalidInput: the agent could not restore to the path.
    """
    piece = stored.piece
    fields = {
        "action": "restore",
        **selection_fields(piece),
        **storage.action_fields(),
        **_place_fields(place),
        **_marks(operation, index, piece),
    }
    if piece.mode is Mode.NATIVE:
        fields |= {"cindernative_vol_id": target, "cindernative_backup_id": stored.native}
    if piece.mode is Mode.FS:
        fields["restore_abs_path"] = escaped(restore_path(piece.resource, operation.options))
        fields["overwrite"] = bool(operation.options.get("overwrite", False))
    return fields


def removal_action(piece: Piece, place: Place, storage: Storage) -> dict[str, Any] | None:
    """The action that removes one piece's data; None where Cinder keeps it."""
    fields = {**selection_fields(piece), **storage.action_fields(), **_place_fields(place)}
    return removal_of(fields)


def removal_of(backup_action: Mapping[str, Any]) -> dict[str, Any] | None:
    """The action that removes what an action has stored; None where Cinder keeps it.

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


def native_name(operation: Operation) -> str:
    """The name of Cinder's own backups of a protect; no other operation's have it."""
    name: str = operation.options["backup_name"]
    return f"{name[:_NATIVE_NAME_ROOM]}_{operation.id}"


def native_container(place: Place) -> str:
    """The container that Freezer notes for Cinder's own backups of a protect."""
    return place.container.rpartition("/")[2]


def _place_fields(place: Place) -> dict[str, Any]:
    fields = {"container": escaped(place.container), "backup_name": escaped(place.backup_name)}
    # Named, so that any scheduler finds the backup under the same name later.
    return {**fields, "hostname": place.hostname} if place.hostname else fields


def _marks(operation: Operation, index: int, piece: Piece) -> dict[str, Any]:
    """What tells an action's temporary things from others', and how long they may take."""
    if piece.mode is Mode.FS:
        return {}
    fields: dict[str, Any] = {"temp_resource_prefix": piece_prefix(job_id(operation.id), index)}
    if piece.mode in WITH_ENGINE:
        whole = operation.deadline - operation.created_at
        fields["timeout"] = max(_SHORTEST_TIMEOUT, int(whole.total_seconds()))
    return fields
