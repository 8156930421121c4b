"""From a configuration file to a runner."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from karbor_backup_core._errors import InvalidInput, MissingLibrary
from karbor_backup_core._execution.runner import Runner
from karbor_backup_core._install_hints import install_hint
from karbor_backup_core._model import Operation
from karbor_backup_core.configuration import (
    CONFIGURATION_VARIABLE,
    Configuration,
    load_configuration,
)
from karbor_backup_core.configured_backends import ConfiguredBackends
from karbor_backup_core.files import expand_user_path

if TYPE_CHECKING:
    from karbor_backup_core.stores.sql import SQLStore


@contextlib.contextmanager
def open_runner(
    path: "str | os.PathLike[str] | None" = None,
    *,
    backends: Iterable[str] | None = None,
    on_change: Callable[[Operation], None] | None = None,
    on_lost: Callable[[Operation, BaseException], None] | None = None,
) -> Iterator[Runner]:
    """Open a runner on the store and the backends of a configuration file, and close it at the end.

    The file is the command's (see ``docs/reference/cli.md``); it must name the store's URL, for
    which only the command has a default. A store that does not exist is created.

    Args:
        path: the file; that of ``$KARBOR_BACKUP_CONFIG`` if None.
        backends: the configured names of the backends to load; all if None.
        on_change: as for ``Runner``.
        on_lost: as for ``Runner``.

    Yields:
        The runner; ``Runner.store`` is its store.

    Raises:
        InvalidInput: the file is not named, cannot be read or does not fit, or names no store.
        BackendUnavailable: a backend cannot be loaded.
        MissingLibrary: SQLAlchemy is not installed.
        StoreError: the store cannot be used.
    """
    if isinstance(backends, str):
        raise InvalidInput(f"backends {backends!r}: give a list of names")
    configuration = load_configuration(_find_file(path))
    configured = ConfiguredBackends(configuration)
    names = configured.sections if backends is None else backends
    loaded = [configured.load(name) for name in names]
    with (
        contextlib.closing(_open_store(configuration)) as store,
        Runner(
            store, loaded, policy=configuration.policy, on_change=on_change, on_lost=on_lost
        ) as runner,
    ):
        yield runner


def _find_file(path: "str | os.PathLike[str] | None") -> Path:
    named = path if path is not None else os.environ.get(CONFIGURATION_VARIABLE)
    if not named:
        raise InvalidInput(f"no configuration: name its file, or set ${CONFIGURATION_VARIABLE}")
    try:
        return expand_user_path(os.fspath(named))
    except TypeError:
        raise InvalidInput(f"configuration {named!r}: give the path of its file") from None


def _open_store(configuration: Configuration) -> "SQLStore":
    if configuration.store_url is None:
        raise InvalidInput(f"configuration {configuration.path}: set url in [store]")
    try:
        from karbor_backup_core.stores.sql import SQLStore
    except (ImportError, AttributeError) as error:
        raise MissingLibrary(f"a store needs SQLAlchemy 2: {install_hint('sql')}") from error
    return SQLStore(
        configuration.store_url.reveal(),
        create=True,
        risk_network_filesystem=configuration.risk_network_filesystem,
    )
