"""Backends with one hook whose answer is dropped, doubled, delayed and so on, made by rote."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from karbor_backup_core import (
    BackendError,
    Backup,
    Operation,
    Progress,
    ProgressState,
    Transient,
    Unsupported,
    hookimpl,
)
from karbor_backup_core.hookspecs import BACKEND_HOOKS
from karbor_backup_fake import FakeBackend

MutateCall = Callable[[Any, Callable[[], Any], dict[str, Any]], Any]
"""Answers in the place of a hook: gets the backend, the hook's own call, and a memory."""

_WORK_HOOKS: Final = ("protect", "restore", "delete", "verify", "maintain", "copy", "release")


@attrs.frozen
class HookMutation:
    """A backend with one hook that is spoilt in one way.

    Attributes:
        hook: the hook.
        mutation: the way.
        make: makes it from a configuration and a cloud.
    """

    hook: str
    mutation: str
    make: Any

    def __str__(self) -> str:
        return f"{self.hook}-{self.mutation}"


def drop(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Drop the answer."""
    call()


def repeat(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Do everything twice."""
    call()
    return call()


def memoize(_backend: Any, call: Callable[[], Any], memory: dict[str, Any]) -> Any:
    """Do nothing after the first time, and answer what was answered then."""
    if "answer" not in memory:
        memory["answer"] = call()
    return memory["answer"]


def delay(_backend: Any, call: Callable[[], Any], memory: dict[str, Any]) -> Any:
    """Return what would have been right the last time."""
    answer = call()
    before = memory.get("answer", answer)
    memory["answer"] = answer
    return before


def swap(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Give each operation the answer of another one."""
    answers = call()
    return dict(zip(answers, reversed(answers.values()), strict=True))


def truncate(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Leave the last operation out."""
    return dict(list(call().items())[:-1])


def share_receipt(_backend: Any, call: Callable[[], Any], memory: dict[str, Any]) -> Any:
    """Return every time with the same receipt, changed in place."""
    answer = call()
    receipt = memory.setdefault("receipt", {})
    if isinstance(answer, Progress) and answer.receipt is not None:
        receipt.update(answer.receipt)
        return attrs.evolve(answer, receipt=receipt)
    return answer


def transient_to_final(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Call final what may pass."""
    try:
        return call()
    except Transient as error:
        raise BackendError(str(error)) from error


def final_to_transient(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Have repeated what is final."""
    try:
        return call()
    except (Transient, Unsupported):
        raise
    except BackendError as error:
        raise Transient(str(error)) from error


def unsupported_to_final(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Call a failure what is not supported."""
    try:
        return call()
    except Unsupported as error:
        raise BackendError(str(error)) from error


def failure_to_error(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Raise what failed."""
    answer = call()
    each = answer.values() if isinstance(answer, Mapping) else (answer,)
    for progress in each:
        if isinstance(progress, Progress) and progress.state is ProgressState.FAILED:
            raise BackendError(progress.reason)
    return answer


def error_to_success(_backend: Any, call: Callable[[], Any], _memory: dict[str, Any]) -> Any:
    """Return a success whatever is raised."""
    try:
        return call()
    except Exception:  # noqa: BLE001 - that is its fault
        return Progress(ProgressState.SUCCEEDED, handle={"version": 1, "copy": ""})


COMMON_MUTATIONS: Final[tuple[MutateCall, ...]] = (drop, repeat, memoize, delay)
WORK_MUTATIONS: Final[tuple[MutateCall, ...]] = (
    share_receipt,
    transient_to_final,
    final_to_transient,
    unsupported_to_final,
    error_to_success,
)
POLL_MUTATIONS: Final[tuple[MutateCall, ...]] = (
    swap,
    truncate,
    transient_to_final,
    final_to_transient,
    failure_to_error,
)

EQUIVALENT_MUTATIONS: Final = {
    "describe-repeat": "it only says what never changes",
    "describe-memoize": "what never changes may be remembered",
    "describe-delay": "what never changes is never late",
    "scope-repeat": "it only reads",
    "place-repeat": "it only reads",
    "dependents-repeat": "it only reads",
    "shared_resources-repeat": "it only reads",
    "poll-repeat": "it only reads",
    "cancel-repeat": "what was cancelled is cancelled",
    "release-repeat": "what the first one could not remove, the second one does",
    "release-share_receipt": "the fake's release answers no receipt",
    "release-unsupported_to_final": "a release has nothing that could be unsupported",
    "poll-final_to_transient": "the core goes on polling after either",
}
"""What no rule has to notice, each with the reason."""


def all_hook_mutations() -> Iterator[HookMutation]:
    """Return every hook spoilt in every way that fits its answer."""
    ways = dict.fromkeys(BACKEND_HOOKS, COMMON_MUTATIONS)
    ways |= dict.fromkeys(_WORK_HOOKS, (*COMMON_MUTATIONS, *WORK_MUTATIONS))
    ways["poll"] = (*COMMON_MUTATIONS, *POLL_MUTATIONS)
    for hook in BACKEND_HOOKS:
        for spoil in ways[hook]:
            yield HookMutation(hook, spoil.__name__, _create_backend_class(hook, spoil))


def _create_backend_class(hook: str, spoil: MutateCall) -> Any:
    """Make a backend class; its memory is that of all its objects, as a cache's would be."""
    memory: dict[str, Any] = {}
    original = getattr(FakeBackend, hook)

    if hook == "poll":

        def replaced(self: Any, operations: Any) -> Any:
            return spoil(self, lambda: original(self, operations), memory)

    elif hook == "dependents":

        def replaced(self: Any, backup: Backup) -> Any:  # type: ignore[misc]
            return spoil(self, lambda: original(self, backup), memory)

    elif hook in ("describe", "scope", "check", "place"):

        def replaced(self: Any) -> Any:  # type: ignore[misc]
            return spoil(self, lambda: original(self), memory)

    else:

        def replaced(self: Any, operation: Operation) -> Any:  # type: ignore[misc]
            return spoil(self, lambda: original(self, operation), memory)

    return type(f"{hook}_{spoil.__name__}", (FakeBackend,), {hook: hookimpl(replaced)})
