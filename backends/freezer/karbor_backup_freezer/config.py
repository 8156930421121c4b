"""The configuration: its schema, and what is made of it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import attrs

from karbor_backup_freezer.model.storages import Storage, StorageKind, find_storage
from karbor_backup_openstack.catalog import Service
from karbor_backup_openstack.configuration import CLOUD_PROPERTIES, CloudConfiguration

_TEXT: Final = {"type": "string", "minLength": 1}
_PATH: Final = {"type": "string", "pattern": "^/"}
_PORT: Final = {"type": "integer", "minimum": 1, "maximum": 65535}
_SECRET: Final = {**_TEXT, "writeOnly": True}

_REQUIRED: Final[Mapping[StorageKind, tuple[str, ...]]] = {
    StorageKind.LOCAL: ("path",),
    StorageKind.SWIFT: (),
    StorageKind.S3: ("endpoint", "access_key", "secret_key"),
    StorageKind.SSH: ("host", "username", "key", "path"),
    StorageKind.FTP: ("host", "username", "password", "path"),
    StorageKind.FTPS: ("host", "username", "password", "path"),
}
_OPTIONAL: Final[Mapping[StorageKind, tuple[str, ...]]] = {
    StorageKind.SSH: ("port",),
    StorageKind.FTP: ("port",),
    StorageKind.FTPS: ("port", "keyfile", "certfile"),
}


def _kind_rule(kind: StorageKind) -> dict[str, Any]:
    """Return what a storage of that kind must and may name."""
    required = _REQUIRED[kind]
    return {
        "if": {"properties": {"kind": {"const": kind.value}}, "required": ["kind"]},
        "then": {
            "required": list(required),
            "propertyNames": {"enum": ["kind", *required, *_OPTIONAL.get(kind, ())]},
        },
    }


_STORAGE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["kind"],
    "properties": {
        "kind": {"enum": [kind.value for kind in StorageKind], "description": "What it is."},
        "path": {**_PATH, "description": "The folder on the storage that holds the backups."},
        "host": {**_TEXT, "description": "The server's name or address, seen from the scheduler."},
        "port": {**_PORT, "description": "The server's port."},
        "username": {**_TEXT, "description": "The user on the server."},
        "key": {**_PATH, "description": "The private key's file on the scheduler's host."},
        "password": {**_SECRET, "description": "The user's password."},
        "keyfile": {**_PATH, "description": "A TLS client key on the scheduler's host."},
        "certfile": {**_PATH, "description": "A TLS client certificate on the scheduler's host."},
        "endpoint": {**_TEXT, "description": "The URL of the S3 service."},
        "access_key": {**_SECRET, "description": "The access key of the S3 service."},
        "secret_key": {**_SECRET, "description": "The secret key of the S3 service."},
    },
    "allOf": [_kind_rule(kind) for kind in StorageKind],
}

CONFIG_SCHEMA: Final[dict[str, Any]] = {
    "title": "Freezer",
    "type": "object",
    "properties": {
        **CLOUD_PROPERTIES,
        "endpoint": {**_TEXT, "description": "Freezer's URL, instead of the catalog's."},
        "container": {
            "type": "string",
            "pattern": r"^[\w.-]+$",
            "maxLength": 64,
            "default": "karbor-backup",
            "description": "The folder or container that holds one more for each backup.",
        },
        "scheduler": {**_TEXT, "description": "The client id of the scheduler that runs all jobs."},
        "agent_version": {
            **_TEXT,
            "description": "The version of freezer-agent on all hosts; the records tell otherwise.",
        },
        "storage": {**_TEXT, "description": "The name of the storage that is used by default."},
        "storages": {
            "type": "object",
            "additionalProperties": _STORAGE,
            "description": "The storages, by name.",
        },
    },
}


@attrs.frozen
class Configuration(CloudConfiguration):
    """The configuration of one Freezer, its storages read.

    Attributes:
        container: the top container.
        scheduler: the client id of the scheduler that runs all jobs, None to choose.
        agent_version: the version of freezer-agent on all hosts, None for what the records say.
        storage: the name of the default storage, None where there is none.
        storages: by name.
    """

    service: ClassVar[Service] = Service(
        type="backup", name="Freezer", api="v2/{project}", override="Freezer's URL as endpoint"
    )

    container: str
    scheduler: str | None
    agent_version: str | None
    storage: str | None
    storages: Mapping[str, Storage]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Configuration":
        """Read a document that is valid by ``CONFIG_SCHEMA``.

        Raises:
            InvalidInput: the default storage is not among the storages.
        """
        storages = {
            name: Storage(name, StorageKind(options["kind"]), options)
            for name, options in document.get("storages", {}).items()
        }
        only = next(iter(storages)) if len(storages) == 1 else None
        configuration = cls(
            cloud=document.get("cloud"),
            region=document.get("region"),
            interface=document.get("interface"),
            endpoint=document.get("endpoint"),
            timeout=document.get("timeout"),
            container=document.get("container", "karbor-backup"),
            scheduler=document.get("scheduler"),
            agent_version=document.get("agent_version"),
            storage=document.get("storage", only),
            storages=storages,
        )
        if configuration.storage is not None:
            find_storage(storages, configuration.storage)
        return configuration

    def choose_storage(self, name: str | None) -> Storage:
        """Return the storage of that name, or the default one.

        Raises:
            InvalidInput: there is none of that name, or no name is given and there is no default.
        """
        return find_storage(self.storages, name or self.storage or "")
