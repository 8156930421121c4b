"""The schemas of the options.

``protect`` and ``restore`` begin with the very documents of the Freezer protection plugin's
specification for Karbor, ``"default": None`` included although it contradicts the type; what is
added is optional.
"""

from typing import Any, Final, TypeAlias

from karbor_backup_core import Verb
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME

Schema: TypeAlias = dict[str, Any]

SCHEDULER: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "title": "Scheduler",
    "description": "The client id of the Freezer scheduler that is to run the job.",
}


def _extend(schema: Schema, **properties: Schema) -> Schema:
    """Return a schema with properties of its own type added."""
    return {**schema, "properties": {**schema["properties"], **properties}}


PROTECT: Final[Schema] = {
    "title": "Freezer Protection Options",
    "type": "object",
    "properties": {
        "backup_name": {
            "type": "string",
            "title": "Backup Name",
            "description": "The name of the backup.",
            "default": None,
        },
        "description": {
            "type": "string",
            "title": "Description",
            "description": "The description of the backup.",
        },
        "storage": {
            "type": "string",
            "title": "Storage",
            "description": "The name of the configured storage that is to hold the backup.",
        },
        "scheduler": SCHEDULER,
        "allow_unrestorable": {
            "type": "boolean",
            "title": "Allow Unrestorable",
            "description": "Store the data even where Freezer's agent could not bring it back.",
            "default": False,
        },
    },
    "required": ["backup_name"],
}

PROTECT_SERVER: Final[Schema] = _extend(
    PROTECT,
    include_volumes={
        "type": "boolean",
        "title": "Include Volumes",
        "description": (
            "Back up all volumes of the server; without it only those of its system, where it "
            "boots from a volume."
        ),
        "default": False,
    },
)

PROTECT_VOLUME: Final[Schema] = _extend(
    PROTECT,
    mode={
        "enum": ["cinder", "cindernative"],
        "title": "Mode",
        "description": (
            "How to store the volume: 'cinder' copies it into the storage; 'cindernative' has "
            "Cinder make a backup of its own, wherever Cinder keeps them."
        ),
        "default": "cinder",
    },
)

PROTECT_PROJECT: Final[Schema] = _extend(
    PROTECT,
    mode={
        "enum": ["resources", "tenant"],
        "title": "Mode",
        "description": (
            "How to back the project up: 'resources' takes each of its servers and volumes by "
            "itself; 'tenant' leaves it to Freezer, which takes servers only and calls it a "
            "success even where the backup of one of them failed."
        ),
        "default": "resources",
    },
    include_images={
        "type": "boolean",
        "title": "Include Images",
        "description": "Back up the project's images too.",
        "default": False,
    },
)

RESTORE: Final[Schema] = {
    "title": "Freezer Protection Restore",
    "type": "object",
    "properties": {
        "restore_name": {
            "type": "string",
            "title": "Restore Resource Name",
            "description": "The name of the restore resource ",
            "default": None,
        },
        "scheduler": SCHEDULER,
    },
    "required": ["restore_name"],
}

RESTORE_DIRECTORY: Final[Schema] = _extend(
    RESTORE,
    restore_path={
        "type": "string",
        "title": "Restore Path",
        "description": "The absolute path to restore to; by default where the data came from.",
    },
    overwrite={
        "type": "boolean",
        "title": "Overwrite",
        "description": (
            "Make a directory that is not empty what it was when it was protected: files are "
            "replaced, and those that the backup does not know are removed."
        ),
        "default": False,
    },
    overwrite_unseen={
        "type": "boolean",
        "title": "Overwrite Unseen",
        "description": (
            "Overwrite although the target cannot be seen from here: what is mounted, linked or "
            "stored below it may be removed, and nobody has looked."
        ),
        "default": False,
    },
)

RESTORE_VOLUME: Final[Schema] = _extend(
    RESTORE,
    overwrite_volume={
        "type": "boolean",
        "title": "Overwrite Volume",
        "description": (
            "Restore a backup of mode 'cindernative' over the volume that it was made of; without "
            "it a new volume is made, as of every other backup."
        ),
        "default": False,
    },
)

DELETE: Final[Schema] = {
    "title": "Freezer Protection Delete",
    "type": "object",
    "properties": {"scheduler": SCHEDULER},
}

VERIFY: Final[Schema] = {
    "title": "Freezer Protection Verify",
    "type": "object",
    "properties": {},
}

SCHEMAS_BY_TYPE: Final[dict[str, dict[Verb, Schema]]] = {
    kind: {
        Verb.PROTECT: protect,
        Verb.RESTORE: restore,
        Verb.DELETE: DELETE,
        Verb.VERIFY: VERIFY,
    }
    for kind, protect, restore in (
        (DIRECTORY, PROTECT, RESTORE_DIRECTORY),
        (SERVER, PROTECT_SERVER, RESTORE),
        (VOLUME, PROTECT_VOLUME, RESTORE_VOLUME),
        (PROJECT, PROTECT_PROJECT, RESTORE),
    )
}
"""By type of resource and verb."""
