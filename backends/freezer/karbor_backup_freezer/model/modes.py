"""How an action selects what the agent works on, in each of its modes.

Which ids and words select a mode was seen with freezer 19.0.0 on a real cloud: Nova and Glance
need ``engine_name`` as well as ``mode`` and the id, else the agent backs up files and fails.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from karbor_backup_freezer.agent.escaping import check_identifier, check_path, escape
from karbor_backup_freezer.model.items import BackupItem, Mode


@attrs.frozen(kw_only=True)
class ModeSelection:
    """How an action selects a mode and a resource.

    Attributes:
        mode: the agent's word for the mode.
        engine: its engine, empty where the mode needs none.
        id_field: the field of the resource's id, empty for a directory.
    """

    mode: str
    engine: str = ""
    id_field: str = ""


MODE_SELECTIONS: Final[Mapping[Mode, ModeSelection]] = {
    Mode.FS: ModeSelection(mode="fs", engine="tar"),
    Mode.NOVA: ModeSelection(mode="nova", engine="nova", id_field="nova_inst_id"),
    Mode.CINDER: ModeSelection(mode="cinder", id_field="cinder_vol_id"),
    Mode.NATIVE: ModeSelection(mode="cindernative", id_field="cindernative_vol_id"),
    Mode.GLANCE: ModeSelection(mode="glance", engine="glance", id_field="glance_image_id"),
    Mode.TENANT: ModeSelection(mode="nova", engine="nova", id_field="project_id"),
}

MODES_WITH_ENGINE: Final = frozenset({Mode.NOVA, Mode.GLANCE, Mode.TENANT})
"""Modes in which the agent waits for the cloud no longer than the action's ``timeout``."""


def selection_fields(item: BackupItem) -> dict[str, Any]:
    """Return the fields by which every action on an item selects mode and resource.

    Raises:
        InvalidInput: the item's id cannot be one.
    """
    selection = MODE_SELECTIONS[item.mode]
    fields: dict[str, Any] = {"mode": selection.mode}
    if selection.engine:
        fields["engine_name"] = selection.engine
    if selection.id_field:
        fields[selection.id_field] = check_identifier(item.type, item.id)
    return fields


def backup_fields(item: BackupItem) -> dict[str, Any]:
    """Return the fields by which a backup action selects an item.

    Raises:
        InvalidInput: the item's id cannot be one.
    """
    if item.mode is not Mode.FS:
        return selection_fields(item)
    path = check_path("directory", item.id)
    return {**selection_fields(item), "path_to_backup": escape(path)}


def is_record_of(item: BackupItem, metadata: Mapping[str, Any]) -> bool:
    """Whether a record of a job is that of this item of it.

    A directory or a whole project is the only item of its job, and its record names no id.
    """
    if item.mode in (Mode.FS, Mode.TENANT):
        return True
    return bool(metadata.get(MODE_SELECTIONS[item.mode].id_field) == item.id)
