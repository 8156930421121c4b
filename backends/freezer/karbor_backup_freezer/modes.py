"""How an action selects what the agent works on, in each of its modes.

Which ids and words select a mode was seen with freezer 19.0.0 on a real cloud: Nova and Glance
need ``engine_name`` as well as ``mode`` and the id, else the agent backs up files and fails.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from karbor_backup_freezer.agent_text import check_identifier, check_path, escaped
from karbor_backup_freezer.pieces import Mode, Piece


@attrs.frozen(kw_only=True)
class Selection:
    """How an action selects a mode and a resource.

    Attributes:
        mode: the agent's word for the mode.
        engine: its engine, empty where the mode needs none.
        id_field: the field of the resource's id, empty for a directory.
    """

    mode: str
    engine: str = ""
    id_field: str = ""


SELECTIONS: Final[Mapping[Mode, Selection]] = {
    Mode.FS: Selection(mode="fs", engine="tar"),
    Mode.NOVA: Selection(mode="nova", engine="nova", id_field="nova_inst_id"),
    Mode.CINDER: Selection(mode="cinder", id_field="cinder_vol_id"),
    Mode.NATIVE: Selection(mode="cindernative", id_field="cindernative_vol_id"),
    Mode.GLANCE: Selection(mode="glance", engine="glance", id_field="glance_image_id"),
    Mode.TENANT: Selection(mode="nova", engine="nova", id_field="project_id"),
}

WITH_ENGINE: Final = frozenset({Mode.NOVA, Mode.GLANCE, Mode.TENANT})
"""Modes in which the agent waits for the cloud no longer than the action's ``timeout``."""


def selection_fields(piece: Piece) -> dict[str, Any]:
    """The fields by which every action on a piece selects mode and resource.

    Raises:
        InvalidInput: the piece's id cannot be one.
    """
    selection = SELECTIONS[piece.mode]
    fields: dict[str, Any] = {"mode": selection.mode}
    if selection.engine:
        fields["engine_name"] = selection.engine
    if selection.id_field:
        fields[selection.id_field] = check_identifier(piece.type, piece.id)
    return fields


def backup_fields(piece: Piece) -> dict[str, Any]:
    """The fields by which a backup action selects a piece.

    Raises:
        InvalidInput: the piece's id cannot be one.
    """
    if piece.mode is not Mode.FS:
        return selection_fields(piece)
    path = check_path("directory", piece.id)
    return {**selection_fields(piece), "path_to_backup": escaped(path)}


def is_record_of(piece: Piece, metadata: Mapping[str, Any]) -> bool:
    """Whether a record of a job is that of this piece of it.

    A directory or a whole project is the only piece of its job, and its record names no id.
    """
    if piece.mode in (Mode.FS, Mode.TENANT):
        return True
    return bool(metadata.get(SELECTIONS[piece.mode].id_field) == piece.id)
