"""What the backend can do: the types of resources, and the options of each verb."""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core import Ability, Json, Support, Verb

DIRECTORY: Final = "Restic::FileSystem::Directory"
"""A directory of this machine; its id is its absolute path."""

FILE: Final = "Restic::FileSystem::File"
"""A regular file of this machine; its id is its absolute path."""

OUTPUT: Final = "Restic::Command::Output"
"""What a command of the backend's configuration writes; its id is the command's name."""


def _object_schema(title: str, **properties: Json) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


_ALLOW_UNREADABLE: Final[Json] = {
    "type": "boolean",
    "title": "Allow Unreadable",
    "description": (
        "Keep a backup in which files are missing because they could not be read; the backup says "
        "so in its checks. Without it such a protect fails and its snapshot is removed."
    ),
    "default": False,
}

_PROTECT_DIRECTORY: Final = _object_schema(
    "Restic Protection Options",
    exclude={
        "type": "array",
        "items": {"type": "string", "minLength": 1, "pattern": "^[^\\x00]+$"},
        "title": "Exclude",
        "description": "Patterns of restic's --exclude: what matches one is not stored.",
    },
    one_file_system={
        "type": "boolean",
        "title": "One File System",
        "description": "Leave out what other file systems hold that are mounted below.",
        "default": False,
    },
    exclude_caches={
        "type": "boolean",
        "title": "Exclude Caches",
        "description": "Leave out directories that a CACHEDIR.TAG file marks as caches.",
        "default": False,
    },
    allow_unreadable=_ALLOW_UNREADABLE,
)

_PATH: Final[Json] = {"type": "string", "pattern": "^/", "maxLength": 4096, "title": "Path"}
_REPLACE: Final[Json] = {"type": "boolean", "title": "Replace", "default": False}

_RESTORE: Final = _object_schema(
    "Restic Restore Options",
    path={
        **_PATH,
        "description": (
            "Where to restore to. Its parent must exist, and it must not, or be an empty "
            "directory. Without it, beside the original, with ~ and the operation's id appended."
        ),
    },
    replace={
        **_REPLACE,
        "description": (
            "Replace what is at the path. It is moved aside when all data has been restored, "
            "removed after that, and put back if the restore is cancelled meanwhile."
        ),
    },
)

_RESTORE_OUTPUT: Final = _object_schema(
    "Restic Restore Options",
    path={
        **_PATH,
        "description": (
            "The file to restore to. Its parent must exist, and it must not. Without it, a new "
            "file in the configured output_directory, with ~ and the operation's id in its name."
        ),
    },
    replace={
        **_REPLACE,
        "description": "Replace the file that is at the path, when all data has been restored.",
    },
    into_command={
        "type": "boolean",
        "title": "Into Command",
        "description": (
            "Restore to no file, but to the standard input of the command that the configuration "
            "names for that ('restore'). What it does cannot be undone."
        ),
        "default": False,
    },
)

_VERIFY: Final = _object_schema(
    "Restic Verify Options",
    read_data={
        "type": "boolean",
        "title": "Read Data",
        "description": (
            "Read all data of the backup back, as a restore does, and compare it with the hashes "
            "that were stored with it. Without it only the list of files is read."
        ),
        "default": True,
    },
    read_percent={
        "type": "integer",
        "minimum": 0,
        "maximum": 100,
        "title": "Read Percent",
        "description": (
            "Percentage of the whole repository's data, other backups' included, to read back in "
            "addition, chosen at random."
        ),
        "default": 0,
    },
)

_COPY: Final = _object_schema("Restic Copy Options")

_NO_SOURCE: Final = Ability(
    Support.UNSUPPORTED,
    reason="its configuration names no repository under 'sources' to copy from",
)

_DELETE: Final = _object_schema("Restic Delete Options")


def _abilities(protect: Json, restore: Json = _RESTORE) -> Mapping[Verb, Ability]:
    schemas = {
        Verb.PROTECT: protect,
        Verb.RESTORE: restore,
        Verb.DELETE: _DELETE,
        Verb.VERIFY: _VERIFY,
    }
    return {verb: Ability(Support.SUPPORTED, schema=schema) for verb, schema in schemas.items()}


PRUNE: Final = "prune"
"""Removes data that no snapshot uses any more."""

CHECK: Final = "check"
"""Checks the whole repository."""

MAINTENANCE: Final[Mapping[str, Ability]] = {
    PRUNE: Ability(
        Support.SUPPORTED,
        schema=_object_schema(
            "Restic Prune Options",
            max_unused={
                "type": "integer",
                "minimum": 0,
                "maximum": 100,
                "title": "Max Unused",
                "description": (
                    "Percentage of the repository that may stay unused: the less, the more data is "
                    "written anew."
                ),
                "default": 5,
            },
        ),
    ),
    CHECK: Ability(
        Support.SUPPORTED,
        schema=_object_schema(
            "Restic Check Options",
            read_percent={
                "type": "integer",
                "minimum": 0,
                "maximum": 100,
                "title": "Read Percent",
                "description": "Percentage of the data to read back, chosen at random.",
                "default": 0,
            },
        ),
    ),
}
"""What it does with the repository, which all backups share."""

ABILITIES: Final[Mapping[str, Mapping[Verb, Ability]]] = {
    DIRECTORY: _abilities(_PROTECT_DIRECTORY),
    FILE: _abilities(
        _object_schema("Restic Protection Options", allow_unreadable=_ALLOW_UNREADABLE)
    ),
    OUTPUT: _abilities(_object_schema("Restic Protection Options"), _RESTORE_OUTPUT),
}
"""What it does with each type of resource, in any configuration."""


def declare_abilities(*, copies: bool) -> Mapping[str, Mapping[Verb, Ability]]:
    """Return what the backend does with each type.

    Args:
        copies: whether there is a repository to copy from.
    """
    copy = Ability(Support.SUPPORTED, schema=_COPY) if copies else _NO_SOURCE
    return {kind: {**verbs, Verb.COPY: copy} for kind, verbs in ABILITIES.items()}
