"""The kinds of storage, and what an action says of each (freezer 19.0.0)."""

import enum
from collections.abc import Mapping
from typing import Any, Final

import attrs

from karbor_backup_core import InvalidInput, Secret, suggest_name
from karbor_backup_freezer.agent.escaping import check_text, escape


class StorageKind(enum.StrEnum):
    """Freezer's kinds of storage, by its own words."""

    LOCAL = "local"
    SWIFT = "swift"
    S3 = "s3"
    SSH = "ssh"
    FTP = "ftp"
    FTPS = "ftps"


SECRET_FIELDS: Final = frozenset({"access_key", "secret_key", "ftp_password"})
"""Fields of an action that hold secrets, as the agent calls them."""

_FIELDS: Final[Mapping[StorageKind, Mapping[str, str]]] = {
    StorageKind.LOCAL: {},
    StorageKind.SWIFT: {},
    StorageKind.S3: {
        "endpoint": "endpoint",
        "access_key": "access_key",
        "secret_key": "secret_key",
    },
    StorageKind.SSH: {
        "host": "ssh_host",
        "port": "ssh_port",
        "username": "ssh_username",
        "key": "ssh_key",
    },
    StorageKind.FTP: {
        "host": "ftp_host",
        "port": "ftp_port",
        "username": "ftp_username",
        "password": "ftp_password",
    },
    StorageKind.FTPS: {
        "host": "ftp_host",
        "port": "ftp_port",
        "username": "ftp_username",
        "password": "ftp_password",
        "keyfile": "ftp_keyfile",
        "certfile": "ftp_certfile",
    },
}


@attrs.frozen
class Storage:
    """One configured storage.

    Attributes:
        name: the name under which it is configured.
        kind: what it is.
        options: its options by the configuration's words; secrets are wrapped.
    """

    name: str
    kind: StorageKind
    options: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def is_host_local(self) -> bool:
        """Whether the data can be reached from the protecting scheduler's host only."""
        return self.kind is StorageKind.LOCAL

    @property
    def has_secrets(self) -> bool:
        """Whether its actions carry secrets."""
        return any(field in SECRET_FIELDS for field in _FIELDS[self.kind].values())

    def backup_container(self, top: str, backup_id: str) -> str:
        """Return the container of one backup alone, so that removing what it holds is exact.

        Raises:
            InvalidInput: it is longer than Freezer can keep.
        """
        path = f"{top}/{backup_id}"
        if "path" in self.options:
            path = f"{self.options['path'].rstrip('/')}/{path}"
        return check_text(f"container of storage {self.name!r}", path)

    def action_fields(self) -> dict[str, Any]:
        """Return the fields by which an action names this storage. They hold secrets in clear.

        Raises:
            InvalidInput: a secret's reference leads nowhere.
        """
        fields: dict[str, Any] = {"storage": self.kind.value}
        for option, field in _FIELDS[self.kind].items():
            value = self.options.get(option)
            if isinstance(value, Secret):
                value = value.reveal()
            if value is not None:
                fields[field] = escape(value) if isinstance(value, str) else value
        return fields


def without_secrets(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an action that can be written over it before it is deleted.

    Freezer deletes by setting a mark, so what a row holds then it holds for ever.
    """
    return {key: "" if key in SECRET_FIELDS else value for key, value in action.items()}


def find_storage(storages: Mapping[str, Storage], name: str) -> Storage:
    """Return the storage of that name.

    Raises:
        InvalidInput: none is configured under that name.
    """
    try:
        return storages[name]
    except KeyError:
        if not storages:
            raise InvalidInput(
                "no storage is configured: add a section [backends.NAME.storages.STORAGE] with its "
                "kind, as docs/reference/freezer-support.md shows"
            ) from None
        known = ", ".join(sorted(storages))
        raise InvalidInput(
            f"storage {name!r} is not configured: {suggest_name(name, storages)}there are: {known}"
        ) from None
