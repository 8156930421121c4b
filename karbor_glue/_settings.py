"""What a provider's file says, in the words of the core."""

import contextlib
import functools
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import attrs
from oslo_config import cfg

from karbor_backup_core import Backend, InvalidInput, Policy, check_path
from karbor_glue import options

_SSH: Final = {
    "host": "ssh_host",
    "port": "ssh_port",
    "username": "ssh_username",
    "key": "ssh_key",
}
_S3: Final = {"endpoint": "endpoint", "access_key": "access_key", "secret_key": "secret_key"}
_STORAGE: Final = {"swift": {}, "local": {}, "ssh": _SSH, "s3": _S3}
"""Per kind of storage: the storage's key in the backend's configuration, and its option."""


def _to_json(configuration: Mapping[str, Any]) -> str:
    return json.dumps(configuration, sort_keys=True, default=str)


@attrs.frozen
class Settings:
    """One provider's backend; equal settings can share a runner.

    Attributes:
        backend: the name of its entry point.
        configuration: as the backend's ``CONFIG_SCHEMA`` has it; it may hold secrets.
        policy: how patient the core is.
        directories: the paths that users may have protected and restored, with all below them.
    """

    backend: str
    configuration: Mapping[str, Any] = attrs.field(eq=_to_json, repr=False)
    policy: Policy
    directories: tuple[str, ...] = ()

    def load_backend(self, **arguments: Any) -> Backend:
        """Make the backend; its service is not asked.

        Args:
            **arguments: for the backend's class, beside the configuration.

        Raises:
            KarborBackupError: it is not installed, cannot be loaded or is not configured well.
        """
        return Backend.load(self.backend, configuration=self.configuration, **arguments)

    def load_without_credentials(self) -> Backend:
        """Return the backend without credentials, to be asked what it can do; made once.

        Raises:
            KarborBackupError: as ``load_backend``.
        """
        return _load_without_credentials(self)


@functools.lru_cache(maxsize=32)
def _load_without_credentials(settings: Settings) -> Backend:
    return settings.load_backend()


@contextlib.contextmanager
def _translate_configuration_errors() -> Iterator[None]:
    """Raise what oslo.config finds wrong with a provider's file as this project's own error.

    Raises:
        InvalidInput: an option has a value that it cannot have.
    """
    try:
        yield
    except (cfg.Error, ValueError) as error:
        raise InvalidInput(f"the provider's file: {error}") from error


@_translate_configuration_errors()
def read_backend_settings(conf: Any, only: str | None = None) -> Settings:
    """Read the settings of the plugin over any backend.

    Args:
        conf: the provider's configuration.
        only: the name of the backend that the plugin is for; None where the file names one.

    Raises:
        InvalidInput: no backend is named, or another one than the plugin's, or the configuration's
            file cannot be read.
    """
    group = options.register_backend(conf)
    backend = group.backend or only
    if not backend:
        raise InvalidInput(
            f"the provider's file names no backend: set backend in [{options.BACKEND_GROUP}]"
        )
    if only not in (None, backend):
        raise InvalidInput(
            f"the provider's file names backend {backend!r}, and its plugin is for {only!r}: leave "
            f"backend in [{options.BACKEND_GROUP}] out, or set plugin in [provider] to "
            "karbor-backup-protection-plugin"
        )
    configuration = _read_file(group.configuration_file)
    return Settings(backend, configuration, _read_policy(group), _read_directories(group))


@_translate_configuration_errors()
def read_freezer_settings(conf: Any) -> Settings:
    """Read the settings of the Freezer plugin.

    Raises:
        InvalidInput: what is set does not fit together, or the file cannot be read.
    """
    group = options.register_freezer(conf)
    _check_connections(group)
    chosen = {
        "scheduler": group.scheduler_client_id,
        "endpoint": group.freezer_endpoint,
        "region": group.region,
        "timeout": group.timeout,
        "cloud": group.cloud,
    }
    configuration = {name: value for name, value in chosen.items() if value is not None}
    from_file = _read_file(group.configuration_file)
    if "storages" not in from_file:
        configuration |= _read_storage(group)
    known = {**configuration, **from_file}
    return Settings("freezer", known, _read_policy(group), _read_directories(group))


def _check_connections(group: Any) -> None:
    """Refuse what would be said of the connections of ``clouds.yaml``'s credentials, and be lost.

    Raises:
        InvalidInput: something of the kind is set.
    """
    words = {"cafile": "cacert", "insecure": "verify: false", "certfile": "cert", "keyfile": "key"}
    lost = [word for word in words if group[word]]
    if group.cloud and not group.auth_type and lost:
        instead = ", ".join(words[word] for word in lost)
        raise InvalidInput(
            f"{', '.join(lost)} in [{options.FREEZER_GROUP}]: the credentials are those of cloud "
            f"{group.cloud!r}, whose connections clouds.yaml describes: set {instead} there"
        )


def _read_storage(group: Any) -> dict[str, Any]:
    """Describe the one storage that the options name; its name is its kind."""
    kind = group.storage
    named = {key: group[option] for key, option in _STORAGE[kind].items()}
    storage = {"kind": kind} | {key: value for key, value in named.items() if value is not None}
    container = {"container": group.container}
    if kind in ("local", "ssh"):
        if not group.container.startswith("/"):
            raise InvalidInput(
                f"container {group.container!r}: storage {kind} needs an absolute path in "
                f"[{options.FREEZER_GROUP}] container"
            )
        storage["path"] = group.container
        container = {}
    return {**container, "storage": kind, "storages": {kind: storage}}


def _read_policy(group: Any) -> Policy:
    limit = timedelta(seconds=max(group.poll_interval, 0.1))
    return Policy(
        deadline=timedelta(seconds=group.deadline),
        grace=timedelta(seconds=group.grace),
        release=timedelta(seconds=group.release),
        poll_first=min(timedelta(seconds=1), limit),
        poll_limit=limit,
        lease=timedelta(seconds=group.lease),
    )


def _read_directories(group: Any) -> tuple[str, ...]:
    """Return the allowed directories.

    Raises:
        InvalidInput: one is no absolute path, or is the root of all.
    """
    where = "the provider's file: directories"
    found = []
    for path in group.directories:
        # POSIX lets two slashes at the beginning mean something else, and normpath keeps them.
        normal = "/" + os.path.normpath(path).lstrip("/") if path.startswith("/") else path
        if normal == "/":
            raise InvalidInput(f"{where} {path!r}: name directories below it")
        found.append(check_path(where, normal))
    return tuple(found)


def _read_file(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"configuration_file {path} cannot be read: {error}") from None
