"""Calls the hooks of one backend, and those of its extensions before and after each call.

Each extension has a plugin manager of its own, apart from the backend's: none comes between the
backend and the core, and what one raises reaches no other one.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import attrs
import pluggy

from karbor_backup_core._errors import KarborBackupError
from karbor_backup_core._hooks.exception_sanitizer import sanitize_exception
from karbor_backup_core._hooks.registration import create_plugin_manager, register_extension
from karbor_backup_core._model import Operation
from karbor_backup_core.hookspecs import EXTENSION_HOOKS
from karbor_backup_core.secrets import Secret

_log: Final = logging.getLogger("karbor_backup.backend")


@attrs.frozen(eq=False)
class HookCaller:
    """Calls the hooks of one backend and its extensions; what they raise holds no secrets.

    Attributes:
        name: the backend's configured name.
        secrets: what to take out of the texts of exceptions.
    """

    name: str
    secrets: Sequence[Secret]
    _backend: pluggy.PluginManager
    _extensions: Mapping[str, Sequence[tuple[str, Callable[..., object]]]]
    _lock: Any = attrs.field(factory=threading.RLock)

    @classmethod
    def register(
        cls, name: str, plugin: Any, extensions: Iterable[Any], secrets: Iterable[Secret]
    ) -> "HookCaller":
        """Put a backend object and its extensions behind plugin managers.

        Raises:
            BackendUnavailable: the backend needs another contract.
            ContractViolation: the backend or an extension is not as the contract asks.
        """
        what = f"backend {name}"
        backend = create_plugin_manager(what, plugin)
        managers = [(what, backend)]
        for each in extensions:
            what = f"extension {getattr(each, '__name__', type(each).__name__)}"
            managers.append((what, register_extension(what, each)))
        hooks = {
            hook: [
                (f"{what}: {hook}", getattr(manager.hook, hook))
                for what, manager in managers
                if getattr(manager.hook, hook).get_hookimpls()
            ]
            for hook in EXTENSION_HOOKS
        }
        return cls(name, tuple(secrets), backend, hooks)

    def implements(self, hook: str) -> bool:
        """Return whether the backend implements a hook, which may be an optional one."""
        return bool(getattr(self._backend.hook, hook).get_hookimpls())

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call a hook of the backend and return its result.

        Raises:
            KarborBackupError: what the backend raised, or with what an extension refused the call.
        """
        for what, before_call in self._extensions["before_call"]:
            self._call(what, before_call, hook=hook, arguments=MappingProxyType(arguments))
        result, failure, began = None, None, time.perf_counter()
        try:
            what = f"backend {self.name}: {hook}"
            result = self._call(what, getattr(self._backend.hook, hook), **arguments)
        except KarborBackupError as error:
            failure = error
        if self._extensions["after_call"]:
            self._notify(
                "after_call",
                hook=hook,
                arguments=MappingProxyType(arguments),
                result=MappingProxyType(result) if isinstance(result, Mapping) else result,
                error=failure,
                seconds=time.perf_counter() - began,
            )
        if failure is not None:
            raise failure
        return result

    def notify_changed(self, operation: Operation, before: Operation | None) -> None:
        """Notify every extension of a change, one at a time; what they raise is logged."""
        with self._lock:
            self._notify("operation_changed", operation=operation, before=before)

    def _notify(self, kind: str, /, **arguments: Any) -> None:
        for what, function in self._extensions[kind]:
            try:
                self._call(what, function, **arguments)
            except KarborBackupError as error:
                _log.error("an extension failed: %s", error, exc_info=error)

    def _call(self, what: str, function: Callable[..., Any], /, **arguments: Any) -> Any:
        failure: KarborBackupError
        try:
            return function(**arguments)
        except Exception as error:  # noqa: BLE001 - whatever a backend or an extension raises
            failure = sanitize_exception(what, error, self.secrets)
        # Outside of the handler: there the original would be kept as the context, secrets and all.
        raise failure
