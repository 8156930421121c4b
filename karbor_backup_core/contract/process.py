"""One process that works on a bench: a backend object of its own, behind the core and bare."""

import functools
from typing import Any, Final

import attrs
import pluggy

from karbor_backup_core.backend import Backend
from karbor_backup_core.calls.registration import register
from karbor_backup_core.calls.witness import ask
from karbor_backup_core.clock import Clock
from karbor_backup_core.driver import Driver
from karbor_backup_core.lifecycle import Lifecycle
from karbor_backup_core.model import Verb
from karbor_backup_core.stores.base import Store

NAME: Final = "contract"
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
    def started(cls, plugin: Any, store: Store, lifecycle: Lifecycle, clock: Clock) -> "Process":
        """Put a new backend object into a process.

        Raises:
            KarborBackupError: the core does not take it.
        """
        backend = Backend.of(NAME, plugin)
        return cls(plugin, backend, Driver(store, {NAME: backend}, lifecycle, clock, owner=NAME))

    def ask(self, hook: str, **arguments: Any) -> Any:
        """Call a hook and answer what the backend itself answers, unchecked.

        Raises:
            Exception: whatever the backend raises.
        """
        more = {"own_paths": ()} if hook == Verb.RESTORE else {}
        return ask(self._manager, hook, {**more, **arguments})

    @functools.cached_property
    def _manager(self) -> pluggy.PluginManager:
        return register(NAME, self.plugin, ())
