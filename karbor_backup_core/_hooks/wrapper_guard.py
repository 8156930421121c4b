"""Calls one hook, and sees that extensions leave what the backend answers as it is.

pluggy lets a wrapper replace an answer or swallow an exception without a trace. So a wrapper of
our own, the innermost, notes what came from the backend, to be compared with what comes out.
"""

import contextvars
from collections.abc import Generator, Iterable, Mapping
from typing import Any

import attrs
import pluggy

from karbor_backup_core._errors import ContractViolation, KarborBackupError
from karbor_backup_core.hookspecs import hookimpl


@attrs.define
class _BackendResult:
    """What one call of a hook brought from the backend itself."""

    called: bool = False
    value: Any = None
    items: Mapping[Any, Any] | None = None
    error: BaseException | None = None

    def is_unchanged(self, answer: Any) -> bool:
        """Tell whether this is the answer seen, with the same things in it."""
        if self.error is not None or answer is not self.value:
            return False
        return self.items is None or (
            self.items.keys() == answer.keys()
            and all(answer[key] is item for key, item in self.items.items())
        )


# A stack in effect, and for each thread its own: an extension may call hooks while it wraps one.
_current_result: contextvars.ContextVar[_BackendResult] = contextvars.ContextVar("current_result")


@hookimpl(wrapper=True, trylast=True)
def _record_result(self: object) -> Generator[None, Any, Any]:  # noqa: ARG001 - it becomes a method
    seen = _current_result.get()
    seen.called = True
    try:
        seen.value = yield
    except BaseException as error:
        seen.error = error
        raise
    if isinstance(seen.value, Mapping):
        seen.items = dict(seen.value)
    return seen.value


class WrapperGuard:
    """Notes what the backend answers; registered as the last plugin it is the innermost wrapper."""


def create_wrapper_guard(hooks: Iterable[str]) -> WrapperGuard:
    """Return a witness of these hooks."""
    watching: type[WrapperGuard] = type(
        "Witness", (WrapperGuard,), dict.fromkeys(hooks, _record_result)
    )
    return watching()


def call_hook(manager: pluggy.PluginManager, hook: str, arguments: Mapping[str, Any]) -> Any:
    """Call a hook and answer what the backend answered.

    Raises:
        ContractViolation: an extension swallowed or replaced the answer, or broke.
        Exception: what the backend raised, or with what an extension refused (one of ours).
    """
    caller = getattr(manager.hook, hook)
    if len(caller.get_hookimpls()) == 1:
        return caller(**arguments)
    seen = _BackendResult()
    token = _current_result.set(seen)
    try:
        answer = caller(**arguments)
    except Exception as error:
        refused = not seen.called and isinstance(error, KarborBackupError)
        if error is seen.error or refused:
            raise
        raise ContractViolation(
            f"{_describe_wrappers(manager, hook)} raised {type(error).__name__} "
            f"{'after' if seen.called else 'before'} the backend was asked for {hook}: {error}"
        ) from error
    finally:
        _current_result.reset(token)
    if not seen.is_unchanged(answer):
        raise ContractViolation(
            f"{_describe_wrappers(manager, hook)} replaced what the backend answered to {hook}: "
            "a wrapper must hand on the answer, or the exception, as it is"
        )
    return answer


def _describe_wrappers(manager: pluggy.PluginManager, hook: str) -> str:
    names = [
        impl.plugin_name
        for impl in getattr(manager.hook, hook).get_hookimpls()
        if (impl.wrapper or impl.hookwrapper) and not isinstance(impl.plugin, WrapperGuard)
    ]
    return f"extension {names[0]}" if len(names) == 1 else f"one of extensions {', '.join(names)}"
