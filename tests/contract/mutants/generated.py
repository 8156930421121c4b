"""Backends with one hook whose answer is dropped, doubled, delayed and so on, made by rote."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from karbor_backup_core import (
    BackendError,
    Operation,
    Progress,
    ProgressState,
    Transient,
    Unsupported,
    hookimpl,
)
from karbor_backup_core.calls.witness import HOOKS
from karbor_backup_fake import FakeBackend

Spoil = Callable[[Any, Callable[[], Any], dict[str, Any]], Any]
"""Answers in the place of a hook: gets the backend, the hook's own call, and a memory."""

_ABOUT_WORK: Final = ("protect", "restore", "delete", "verify", "release")


@attrs.frozen
class Spoilt:
    """A backend with one hook that is spoilt in one way.

    Attributes:
        hook: the hook.
        how: the way.
        make: makes it from a configuration and a cloud.
    """

    hook: str
    how: str
    make: Any

    def __str__(self) -> str:
        return f"{self.hook}-{self.how}"


def dropped(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Drop the answer."""
    call()


def doubled(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Do everything twice."""
    call()
    return call()


def omitted(_backend: Any, call: Callable[[], Any], memory: dict[str, Any]) -> Any:
    """Do nothing after the first time, and answer what was answered then."""
    if "answer" not in memory:
        memory["answer"] = call()
    return memory["answer"]


def delayed(_backend: Any, call: Callable[[], Any], memory: dict[str, Any]) -> Any:
    """Answer what would have been right the last time."""
    answer = call()
    before = memory.get("answer", answer)
    memory["answer"] = answer
    return before


def swapped(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Give each operation the answer of another one."""
    answers = call()
    return dict(zip(answers, reversed(answers.values()), strict=True))


def shortened(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Leave the last operation out."""
    return dict(list(call().items())[:-1])


def shared(_backend: Any, call: Callable[[], Any], memory: dict[str, Any]) -> Any:
    """Answer every time with the same receipt, changed in place."""
    answer = call()
    receipt = memory.setdefault("receipt", {})
    if isinstance(answer, Progress) and answer.receipt is not None:
        receipt.update(answer.receipt)
        return attrs.evolve(answer, receipt=receipt)
    return answer


def transient_is_final(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Call final what may pass."""
    try:
        return call()
    except Transient as error:
        raise BackendError(str(error)) from error


def final_is_transient(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Have repeated what is final."""
    try:
        return call()
    except (Transient, Unsupported):
        raise
    except BackendError as error:
        raise Transient(str(error)) from error


def unsupported_is_final(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Call a failure what is not supported."""
    try:
        return call()
    except Unsupported as error:
        raise BackendError(str(error)) from error


def data_is_error(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Raise what failed."""
    answer = call()
    each = answer.values() if isinstance(answer, Mapping) else (answer,)
    for progress in each:
        if isinstance(progress, Progress) and progress.state is ProgressState.FAILED:
            raise BackendError(progress.reason)
    return answer


def error_is_nothing(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Say that all is well whatever is raised."""
    try:
        return call()
    except Exception:  # noqa: BLE001 - that is its fault
        return Progress(ProgressState.SUCCEEDED, handle={"version": 1, "copy": ""})


EVERYWHERE: Final[tuple[Spoil, ...]] = (dropped, doubled, omitted, delayed)
OF_WORK: Final[tuple[Spoil, ...]] = (
    shared,
    transient_is_final,
    final_is_transient,
    unsupported_is_final,
    error_is_nothing,
)
OF_POLL: Final[tuple[Spoil, ...]] = (
    swapped,
    shortened,
    transient_is_final,
    final_is_transient,
    data_is_error,
)

HARMLESS: Final = {
    "describe-doubled": "it only says what never changes",
    "describe-omitted": "what never changes may be remembered",
    "describe-delayed": "what never changes is never late",
    "scope-doubled": "it only reads",
    "poll-doubled": "it only reads",
    "verify-doubled": "it only reads; its job is released twice",
    "cancel-doubled": "what was cancelled is cancelled",
    "delete-doubled": "what is gone stays gone; its job is released twice",
    "verify-delayed": "work is found by the operation's id, whatever the receipt says",
    "release-shared": "the fake's release answers no receipt",
    "release-unsupported_is_final": "a release has nothing that could be unsupported",
    "poll-final_is_transient": "the core goes on polling after either",
}
"""What no rule has to notice, each with the reason."""


def all_spoilt() -> Iterator[Spoilt]:
    """Answer every hook spoilt in every way that fits its answer."""
    ways = dict.fromkeys(HOOKS, EVERYWHERE)
    ways |= dict.fromkeys(_ABOUT_WORK, (*EVERYWHERE, *OF_WORK))
    ways["poll"] = (*EVERYWHERE, *OF_POLL)
    for hook in HOOKS:
        for spoil in ways[hook]:
            yield Spoilt(hook, spoil.__name__, _made(hook, spoil))


def _made(hook: str, spoil: Spoil) -> Any:
    """Make a backend class; its memory is that of all its objects, as a cache's would be."""
    memory: dict[str, Any] = {}
    original = getattr(FakeBackend, hook)

    if hook == "poll":

        def replaced(self: Any, operations: Any) -> Any:
            return spoil(self, lambda: original(self, operations), memory)

    elif hook in ("describe", "scope", "check"):

        def replaced(self: Any) -> Any:  # type: ignore[misc]
            return spoil(self, lambda: original(self), memory)

    else:

        def replaced(self: Any, operation: Operation) -> Any:  # type: ignore[misc]
            return spoil(self, lambda: original(self, operation), memory)

    return type(f"{hook}_{spoil.__name__}", (FakeBackend,), {hook: hookimpl(replaced)})
