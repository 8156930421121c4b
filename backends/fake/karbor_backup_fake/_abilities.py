"""What the fake backend can do, the options it takes, and its configuration."""

from typing import Any, Final

from karbor_backup_core import Ability, Json, Support, Verb

SERVER: Final = "OS::Nova::Server"
VOLUME: Final = "OS::Cinder::Volume"
PROJECT: Final = "OS::Keystone::Project"
IMAGE: Final = "OS::Glance::Image"
NETWORK: Final = "OS::Neutron::Network"

COMPOUND: Final = (SERVER, PROJECT)
"""The types that have members; restoring one takes a phase for the members and one for itself."""


def _object_schema(
    title: str, required: tuple[str, ...] = (), **properties: Json
) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


OPTIONS: Final[dict[Verb, Json]] = {
    Verb.PROTECT: _object_schema(
        "Fake Protection Options",
        ("backup_name",),
        backup_name={
            "type": "string",
            "minLength": 1,
            "title": "Backup Name",
            "description": "The name of the backup.",
        },
        description={
            "type": "string",
            "title": "Description",
            "description": "The description of the backup.",
        },
        incremental={
            "type": "boolean",
            "title": "Incremental",
            "description": "Store only what has changed since the latest backup, if there is one.",
            "default": False,
        },
    ),
    Verb.RESTORE: _object_schema(
        "Fake Protection Restore",
        ("restore_name",),
        restore_name={
            "type": "string",
            "minLength": 1,
            "title": "Restore Resource Name",
            "description": "The name of the restored resource.",
        },
        in_place={
            "type": "boolean",
            "title": "Restore In Place",
            "description": "Restore under the id of the old resource, which must be gone.",
            "default": False,
        },
    ),
    Verb.DELETE: _object_schema("Fake Protection Delete"),
    Verb.VERIFY: _object_schema("Fake Protection Verify"),
    Verb.COPY: _object_schema("Fake Protection Copy"),
}

_SUPPORTED: Final = {
    verb: Ability(Support.SUPPORTED, schema=schema) for verb, schema in OPTIONS.items()
}
_COVERED: Final = {
    verb: Ability(Support.COVERED, schema=schema, covered_by="the server that uses it")
    for verb, schema in OPTIONS.items()
}

ABILITIES: Final = {
    SERVER: _SUPPORTED,
    VOLUME: _SUPPORTED,
    PROJECT: _SUPPORTED,
    IMAGE: _COVERED,
    NETWORK: _COVERED,
}
"""What it does with which type of resource; any other type is refused."""

PRUNE: Final = "prune"
CHECK: Final = "check"

MAINTENANCE: Final = {
    PRUNE: Ability(Support.SUPPORTED, schema=_object_schema("Fake Prune")),
    CHECK: Ability(Support.SUPPORTED, schema=_object_schema("Fake Check")),
}
"""What it does with all copies at once."""

CONFIG_SCHEMA: Final[Json] = _object_schema(
    "Fake Backend Configuration",
    cloud={
        "type": "string",
        "minLength": 1,
        "title": "Cloud",
        "description": "The name of the cloud in this process's memory.",
        "default": "cloud",
    },
    vault={
        "type": "string",
        "pattern": "^[a-z0-9-]*$",
        "title": "Vault",
        "description": "Which of the cloud's vaults keeps the copies; each is a scope of its own.",
        "default": "",
    },
    exclusive_prune={
        "type": "boolean",
        "title": "Exclusive Prune",
        "description": "Whether nothing else can use a vault while it is pruned.",
        "default": False,
    },
    service_seconds={
        "type": "number",
        "minimum": 0,
        "title": "Service Seconds",
        "description": "How long each job of the cloud takes.",
    },
    work_limit={
        "type": "integer",
        "minimum": 1,
        "title": "Work Limit",
        "description": "How many jobs the cloud works on at once; the others wait.",
    },
    phases={
        "type": "object",
        "title": "Phases",
        "description": "How many phases a verb takes, where one would do.",
        "properties": {verb.value: {"type": "integer", "minimum": 1} for verb in Verb},
        "additionalProperties": False,
    },
    host={
        "type": "string",
        "minLength": 1,
        "title": "Host",
        "description": "The host that the cloud's work is bound to, if it is to be bound to one.",
    },
    token={
        "type": "string",
        "title": "Token",
        "description": "What the cloud wants to be shown, if it wants anything.",
        "writeOnly": True,
    },
)
