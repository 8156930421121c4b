"""What one call of the command works with, each part made when it is first needed."""

import functools
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import click

from karbor_backup_cli._missing_libraries import describe_missing_library, describe_unfit_library
from karbor_backup_cli._streams import write_error
from karbor_backup_cli.paths import PathName
from karbor_backup_core import MissingLibrary
from karbor_backup_core.secrets import Secret

if TYPE_CHECKING:
    from karbor_backup_core.configuration import Configuration
    from karbor_backup_core.configured_backends import ConfiguredBackends
    from karbor_backup_core.stores.sql import SQLStore

F = TypeVar("F")

_log: Final = logging.getLogger("karbor_backup.cli")


@attrs.define(slots=False)
class CliContext:
    """The options that every command takes, and what follows from them.

    Attributes:
        config: the configuration file that was asked for.
        as_json: answer in JSON.
        debug: log to the standard error.
        os_cloud: the entry of ``clouds.yaml`` that was asked for.
        secrets: the documents' keys and those of the backends loaded so far, to be kept out of
            the log.
    """

    config: Path | None = None
    as_json: bool = False
    debug: bool = False
    os_cloud: str = ""
    secrets: list[Secret] = attrs.field(factory=list, init=False, repr=False)
    _store: "SQLStore | None" = attrs.field(default=None, init=False, repr=False)

    @functools.cached_property
    def configuration(self) -> "Configuration":
        """The configuration file's content, or the defaults.

        Raises:
            InvalidInput: it is not there, cannot be read or does not fit.
        """
        from karbor_backup_cli import _configuration
        from karbor_backup_core.configuration import load_configuration

        loaded = load_configuration(_configuration.find_configuration_file(self.config))
        self.secrets += loaded.document_keys
        return loaded

    @functools.cached_property
    def backends(self) -> "ConfiguredBackends":
        """The configured backends."""
        from karbor_backup_core.configured_backends import ConfiguredBackends

        if self.os_cloud:
            os.environ["OS_CLOUD"] = self.os_cloud
        return ConfiguredBackends(self.configuration, self.secrets, self.os_cloud, _warn)

    @property
    def store(self) -> "SQLStore":
        """Where operations and backups are kept; one that is not there yet is not made.

        Raises:
            StoreNotFound: there is none.
            StoreError: it cannot be used.
            MissingLibrary: SQLAlchemy is not installed, or is older than the store needs.
        """
        return self.open_store(create=False)

    def open_store(self, *, create: bool) -> "SQLStore":
        """Return where operations and backups are kept.

        Args:
            create: make a store that is not there yet.

        Raises:
            StoreNotFound: there is none, and none is to be made.
            StoreError: it cannot be used.
            MissingLibrary: SQLAlchemy is not installed, or is older than the store needs.
        """
        if self._store is None:
            from karbor_backup_cli._configuration import default_store_url

            try:
                from karbor_backup_core.stores.sql import SQLStore
            except (ImportError, AttributeError) as error:
                # Karbor's environment has an older one, which lacks names rather than modules.
                message = describe_missing_library(error) or describe_unfit_library("sqlalchemy")
                raise MissingLibrary(message) from error
            _configuration = self.configuration
            url = _configuration.store_url
            self._store = SQLStore(
                default_store_url() if url is None else url.reveal(),
                create=create,
                risk_network_filesystem=_configuration.risk_network_filesystem,
            )
            if self._store.is_new:
                _log.info("made a new store: %s", self._store.display_url)
        return self._store

    def close(self) -> None:
        """Let go of what was opened."""
        if self._store is not None:
            self._store.close()


def _warn(message: str) -> None:
    write_error(f"karbor-backup: warning: {message}")


pass_cli_context = click.make_pass_decorator(CliContext, ensure=True)


def common_options(command: F) -> F:
    """Give a command the options that all commands take, before and after the command's name."""
    for option in reversed(_COMMON_OPTIONS):
        command = option(command)
    return command


def _store_option(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and param.name is not None:
        setattr(ctx.ensure_object(CliContext), param.name, value)


def _enable_debug(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    from karbor_backup_cli._logging import configure_logging

    _store_option(ctx, param, value)
    if value:
        configure_logging(debug=True, secrets=ctx.ensure_object(CliContext).secrets)


def _common_option(*names: str, **settings: Any) -> Any:
    return click.option(*names, **{"callback": _store_option, "expose_value": False, **settings})


_COMMON_OPTIONS = (
    _common_option(
        "--config",
        type=PathName(path_type=Path),
        metavar="FILE",
        help="Configuration file  [default: $KARBOR_BACKUP_CONFIG, or config.toml at the "
        "platform's usual place].",
    ),
    _common_option("--json", "as_json", is_flag=True, help="Answer with one JSON document."),
    _common_option(
        "--os-cloud",
        metavar="NAME",
        help="Entry of clouds.yaml, as for every OpenStack tool  [default: $OS_CLOUD].",
    ),
    _common_option(
        "--debug",
        is_flag=True,
        callback=_enable_debug,
        help="Log everything to the standard error.",
    ),
)
