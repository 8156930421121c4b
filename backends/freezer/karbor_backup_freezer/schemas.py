"""The schemas of the options.

``protect`` and ``restore`` begin with the very documents of the Freezer protection plugin's
specification for Karbor, ``"default": None`` included although it contradicts the type; what is
added is optional.
"""

from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

SCHEDULER: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "title": "Scheduler",
    "description": "The client id of the Freezer scheduler that is to run the job.",
}

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

RESTORE_DIRECTORY: Final[Schema] = {
    **RESTORE,
    "properties": {
        **RESTORE["properties"],
        "restore_path": {
            "type": "string",
            "title": "Restore Path",
            "description": "The absolute path to restore to; by default where the data came from.",
        },
        "overwrite": {
            "type": "boolean",
            "title": "Overwrite",
            "description": (
                "Make a directory that is not empty what it was when it was protected: files are "
                "replaced, and those that the backup does not know are removed."
            ),
            "default": False,
        },
    },
}

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
