"""The abilities of the backend, the schemas of their options, and the configuration."""

from typing import Any, Final

from karbor_backup_core import Ability, Json, Support, Verb

DIRECTORY: Final = "Tar::FileSystem::Directory"
"""A directory of this machine; its id is its absolute path."""


def _object_schema(title: str, **properties: Json) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


ABILITIES: Final = {
    DIRECTORY: {
        Verb.PROTECT: Ability(Support.SUPPORTED, schema=_object_schema("Tar Protection Options")),
        Verb.RESTORE: Ability(
            Support.SUPPORTED,
            schema=_object_schema(
                "Tar Protection Restore",
                path={
                    "type": "string",
                    "pattern": "^/",
                    "title": "Path",
                    "description": "The directory to make, which must not be there; without it "
                    "one beside the old one.",
                },
            ),
        ),
        Verb.DELETE: Ability(Support.SUPPORTED, schema=_object_schema("Tar Protection Delete")),
        Verb.VERIFY: Ability(Support.SUPPORTED, schema=_object_schema("Tar Protection Verify")),
    }
}

CONFIG_SCHEMA: Final[Json] = {
    **_object_schema(
        "Tar Backend Configuration",
        vault={
            "type": "string",
            "pattern": "^/",
            "title": "Vault",
            "description": "The folder that holds the archives. It must be there.",
        },
        tar={
            "type": "string",
            "minLength": 1,
            "title": "Tar",
            "description": "The program: GNU tar.",
            "default": "tar",
        },
    ),
    "required": ["vault"],
}
