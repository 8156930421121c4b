"""One process that works on a harness: a backend object of its own, behind the core and bare."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import pluggy

from karbor_backup_core import Backend, Clock, Driver, Lifecycle, Store, Verb
from karbor_backup_core.hookspecs import PROJECT, BackendSpec

BACKEND_NAME: Final = "contract"
"""The configured name of the backend under test, and the owner of its operations."""


@attrs.frozen(slots=False, eq=False)
class Process:
    """A backend object with the core around it.

    Attributes:
        plugin: the backend object.
        backend: the same behind the core's checks.
        driver: drives operations with it.
    """

    plugin: Any
    backend: Backend
    driver: Driver

    @classmethod
    def start(
        cls,
        plugin: Any,
        store: Store,
        lifecycle: Lifecycle,
        clock: Clock,
        extensions: Sequence[Any] = (),
    ) -> "Process":
        """Put a new backend object into a process, with extensions that look on.

        Raises:
            KarborBackupError: the core does not take it.
        """
        backend = Backend.from_plugin(BACKEND_NAME, plugin, extensions)
        return cls(
            plugin,
            backend,
            Driver(store, {BACKEND_NAME: backend}, lifecycle, clock, owner=BACKEND_NAME),
        )

    def call_hook(self, hook: str, **arguments: Any) -> Any:
        """Call a hook and answer what the backend itself answers, unchecked.

        Raises:
            Exception: whatever the backend raises.
        """
        return _call_hook(self._manager, hook, arguments)

    @functools.cached_property
    def _manager(self) -> pluggy.PluginManager:
        return _create_manager(self.plugin)


def call_plugin_hook(plugin: Any, hook: str, **arguments: Any) -> Any:
    """Call a hook of a backend object without the core around it, and answer what it answers.

    Raises:
        Exception: whatever the backend raises.
    """
    return _call_hook(_create_manager(plugin), hook, arguments)


def _create_manager(plugin: Any) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(BackendSpec)
    manager.register(plugin)
    return manager


def _call_hook(manager: pluggy.PluginManager, hook: str, arguments: Mapping[str, Any]) -> Any:
    more = {"own_paths": ()} if hook == Verb.RESTORE else {}
    return getattr(manager.hook, hook)(**{**more, **arguments})
