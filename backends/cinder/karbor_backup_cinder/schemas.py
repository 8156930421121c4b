"""The schemas of the options."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from karbor_backup_cinder.names import BACKUP_NAME_LIMIT
from karbor_backup_core import Verb
from karbor_backup_openstack.metadata import NAME_LIMIT
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME

Schema: TypeAlias = dict[str, Any]

_NO_CONTROL_CHARACTERS: Final = r"^[^\x00-\x1f\x7f]*$"
_ID: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def _text(title: str, description: str, limit: int) -> Schema:
    return {
        "type": "string",
        "title": title,
        "description": description,
        "maxLength": limit,
        "pattern": _NO_CONTROL_CHARACTERS,
    }


PROTECT: Final[Schema] = {
    "title": "Cinder Protection Options",
    "type": "object",
    "properties": {
        "backup_name": _text(
            "Backup Name",
            "The name of the backup, to which its id is added; without it, the volume's.",
            BACKUP_NAME_LIMIT,
        ),
        "description": _text("Description", "The description of the backup.", 255),
        "incremental": {
            "enum": ["never", "auto", "always"],
            "title": "Incremental",
            "description": (
                "Whether to store only what has changed: 'never' stores the whole volume; 'auto' "
                "stores changes if karbor-backup made the volume's latest backup; 'always' stores "
                "changes to the latest backup, whoever made it. A backup that another one is "
                "based on cannot be deleted before that."
            ),
            "default": "never",
        },
        "snapshot_id": {
            "type": "string",
            "title": "Snapshot",
            "description": "The snapshot of the volume to back up instead of its present data.",
            "pattern": _ID,
        },
        "force": {
            "type": "boolean",
            "title": "Force",
            "description": (
                "Back up a volume that is in use, as it would be after a power failure; without "
                "it such a volume is refused, unless a snapshot is named."
            ),
            "default": False,
        },
        "container": _text(
            "Container", "The container in Cinder's backup storage; without it, Cinder's own.", 255
        ),
        "availability_zone": _text(
            "Availability Zone", "The zone of the backup service that stores the backup.", 255
        ),
    },
}

RESTORE: Final[Schema] = {
    "title": "Cinder Protection Restore",
    "type": "object",
    "properties": {
        "restore_name": _text(
            "Restore Resource Name",
            "The name of the new volume; without it, that of the source.",
            NAME_LIMIT,
        ),
        "availability_zone": _text(
            "Availability Zone", "The zone of the new volume; without it, that of the source.", 255
        ),
        "volume_type": _text(
            "Volume Type", "The type of the new volume; without it, that of the source.", 255
        ),
        "overwrite_volume": {
            "type": "boolean",
            "title": "Overwrite Volume",
            "description": (
                "Restore over the volume that the backup was made of, or over 'volume_id'; "
                "without it a new volume is made."
            ),
            "default": False,
        },
        "volume_id": {
            "type": "string",
            "title": "Volume",
            "description": "The volume to overwrite; only with 'overwrite_volume'.",
            "pattern": _ID,
        },
    },
}

DELETE: Final[Schema] = {
    "title": "Cinder Protection Delete",
    "type": "object",
    "properties": {},
}

VERIFY: Final[Schema] = {
    "title": "Cinder Protection Verify",
    "type": "object",
    "properties": {},
}

SET_PROTECT: Final[Schema] = {
    **PROTECT,
    "properties": {
        name: option
        for name, option in PROTECT["properties"].items()
        if name not in ("snapshot_id", "force")
    },
}
"""Of servers and projects: their disks are snapshotted, whether they are in use or not."""

SET_RESTORE: Final[Schema] = {
    **RESTORE,
    "properties": {
        "restore_name": _text(
            "Restore Resource Name",
            "The name of the new resource, from which its members' names are made; without it, "
            "those of the sources.",
            NAME_LIMIT,
        ),
    },
}

_VOLUME_SCHEMAS: Final = {
    Verb.PROTECT: PROTECT,
    Verb.RESTORE: RESTORE,
    Verb.DELETE: DELETE,
    Verb.VERIFY: VERIFY,
}
_SET_SCHEMAS: Final = {
    **_VOLUME_SCHEMAS,
    Verb.PROTECT: SET_PROTECT,
    Verb.RESTORE: SET_RESTORE,
}

SCHEMAS: Final[Mapping[str, Mapping[Verb, Schema]]] = {
    VOLUME: _VOLUME_SCHEMAS,
    SERVER: _SET_SCHEMAS,
    PROJECT: _SET_SCHEMAS,
}
"""By type of resource and verb."""
