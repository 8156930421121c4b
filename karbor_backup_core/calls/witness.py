"""Calls one hook, and sees that extensions leave what the backend answers as it is.

pluggy lets a wrapper replace an answer or swallow an exception without a trace. So a wrapper of
our own, the innermost, notes what came from the backend, to be compared with what comes out.
"""

import contextvars
from collections.abc import Generator, Iterable, Mapping
from typing import Any, Final

import attrs
import pluggy

from karbor_backup_core.errors import ContractViolation, KarborBackupError
from karbor_backup_core.hookspecs import PROJECT, BackendSpec, hookimpl

HOOKS: Final = tuple(
    name for name, hook in vars(BackendSpec).items() if hasattr(hook, f"{PROJECT}_spec")
)
"""The hooks that every backend implements."""


@attrs.define
class _Seen:
    """What one call of a hook brought from the backend itself."""

    asked: bool = False
    answer: Any = None
    items: Mapping[Any, Any] | None = None
    error: BaseException | None = None

    def is_answer(self, answer: Any) -> bool:
        """Tell whether this is the answer seen, with the same things in it."""
        if self.error is not None or answer is not self.answer:
            return False
        return self.items is None or (
            self.items.keys() == answer.keys()
            and all(answer[key] is item for key, item in self.items.items())
        )


# A stack in effect, and for each thread its own: an extension may call hooks while it wraps one.
_seen: contextvars.ContextVar[_Seen] = contextvars.ContextVar("seen")


@hookimpl(wrapper=True, trylast=True)
def _note(self: object) -> Generator[None, Any, Any]:  # noqa: ARG001 - it becomes a method
    seen = _seen.get()
    seen.asked = True
    try:
        seen.answer = yield
    except BaseException as error:
        seen.error = error
        raise
    if isinstance(seen.answer, Mapping):
        seen.items = dict(seen.answer)
    return seen.answer


class Witness:
    """Notes what the backend answers; registered as the last plugin it is the innermost wrapper."""


def witness(hooks: Iterable[str]) -> Witness:
    """Answer a witness of these hooks."""
    watching: type[Witness] = type("Witness", (Witness,), dict.fromkeys(hooks, _note))
    return watching()


def ask(manager: pluggy.PluginManager, hook: str, arguments: Mapping[str, Any]) -> Any:
    """Call a hook and answer what the backend answered.

    Raises:
        ContractViolation: an extension swallowed or replaced the answer, or broke.
        Exception: what the backend raised, or with what an extension refused (one of ours).
    """
    caller = getattr(manager.hook, hook)
    if len(caller.get_hookimpls()) == 1:
        return caller(**arguments)
    seen = _Seen()
    token = _seen.set(seen)
    try:
        answer = caller(**arguments)
    except Exception as error:
        refused = not seen.asked and isinstance(error, KarborBackupError)
        if error is seen.error or refused:
            raise
        raise ContractViolation(
            f"{_wrappers(manager, hook)} raised {type(error).__name__} "
            f"{'after' if seen.asked else 'before'} the backend was asked for {hook}: {error}"
        ) from error
    finally:
        _seen.reset(token)
    if not seen.is_answer(answer):
        raise ContractViolation(
            f"{_wrappers(manager, hook)} replaced what the backend answered to {hook}: "
            "a wrapper must hand on the answer, or the exception, as it is"
        )
    return answer


def _wrappers(manager: pluggy.PluginManager, hook: str) -> str:
    names = [
        impl.plugin_name
        for impl in getattr(manager.hook, hook).get_hookimpls()
        if (impl.wrapper or impl.hookwrapper) and not isinstance(impl.plugin, Witness)
    ]
    return f"extension {names[0]}" if len(names) == 1 else f"one of extensions {', '.join(names)}"
