"""Extensions may refuse and measure; what the backend answers stays as it is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from karbor_backup_core.backend import Backend
from karbor_backup_core.calls.witness import HOOKS
from karbor_backup_core.errors import BackendError, ContractViolation, Transient, Unsupported
from karbor_backup_core.hookspecs import BackendSpec, hookimpl
from tests.core.backends import PROTECTED, RUNNING, SUCCEEDED, Answering, SmallBackend
from tests.strategies import operation


def wrapping(hook: str, function: Callable[..., Iterator[Any]], **options: Any) -> Any:
    """Answer an extension that wraps one hook with a generator."""
    return type("Extension", (), {hook: hookimpl(**options)(function)})()


def new_style(function: Callable[..., Iterator[Any]], **options: Any) -> Any:
    return wrapping("protect", function, wrapper=True, **options)


def old_style(function: Callable[..., Iterator[Any]]) -> Any:
    return wrapping("protect", function, hookwrapper=True)


def test_every_hook_of_the_contract_is_watched() -> None:
    assert set(HOOKS) == {
        "describe", "scope", "check", "protect", "restore", "delete", "verify",
        "poll", "cancel", "release",
    }  # fmt: skip
    assert set(HOOKS) == {name for name in vars(BackendSpec) if not name.startswith("_")}


def test_a_wrapper_that_hands_the_answer_on_may_measure() -> None:
    seen: list[Any] = []

    def new(self: Any, operation: Any) -> Iterator[Any]:  # noqa: ARG001
        answer = yield
        seen.append((operation.id, answer))
        return answer

    def old(self: Any) -> Iterator[Any]:  # noqa: ARG001
        outcome = yield
        seen.append(outcome.get_result())

    backend = Backend.of("here", SmallBackend(), [new_style(new), old_style(old)])
    assert backend.call(operation()) == PROTECTED
    assert seen == [("op-1", PROTECTED), PROTECTED]


def replace(self: Any) -> Iterator[Any]:  # noqa: ARG001
    yield
    return RUNNING


def forget(self: Any) -> Iterator[Any]:  # noqa: ARG001
    yield


def force(self: Any) -> Iterator[Any]:  # noqa: ARG001
    outcome = yield
    outcome.force_result(RUNNING)


def swallow(self: Any) -> Iterator[Any]:  # noqa: ARG001
    try:
        return (yield)
    except Transient:
        return SUCCEEDED


def swallow_old(self: Any) -> Iterator[Any]:  # noqa: ARG001
    outcome = yield
    outcome.force_result(SUCCEEDED)


def swallow_all(self: Any) -> Iterator[Any]:  # noqa: ARG001
    try:
        return (yield)
    except Transient:
        return None


def exchange(self: Any) -> Iterator[Any]:  # noqa: ARG001
    try:
        return (yield)
    except Transient as error:
        raise BackendError("given up") from error


def fail_after(self: Any) -> Iterator[Any]:  # noqa: ARG001
    yield
    raise ValueError("cannot write the metric")


@pytest.mark.parametrize(
    ("extension", "plugin"),
    [
        (new_style(replace), SmallBackend()),
        (new_style(replace, trylast=True), SmallBackend()),
        (new_style(replace, tryfirst=True), SmallBackend()),
        (new_style(forget), SmallBackend()),
        (old_style(force), SmallBackend()),
        (new_style(fail_after), SmallBackend()),
        (new_style(swallow), Answering(Transient("busy"))),
        (new_style(swallow_all), Answering(Transient("busy"))),
        (old_style(swallow_old), Answering(Transient("busy"))),
        (new_style(exchange), Answering(Transient("busy"))),
    ],
)
def test_one_that_swallows_or_replaces_is_named(extension: Any, plugin: Any) -> None:
    backend = Backend.of("here", plugin, [extension])
    with pytest.raises(ContractViolation, match=r"extension Extension (replaced|raised)"):
        backend.call(operation())


def test_one_of_several_is_told_with_all_who_could_have_done_it() -> None:
    def pass_on(self: Any) -> Iterator[Any]:  # noqa: ARG001
        return (yield)

    backend = Backend.of("here", SmallBackend(), [new_style(pass_on), new_style(replace)])
    with pytest.raises(ContractViolation, match="one of extensions Extension, Extension#1"):
        backend.call(operation())


def test_an_answer_to_a_poll_must_not_be_changed_in_place() -> None:
    def meddle(self: Any) -> Iterator[Any]:  # noqa: ARG001
        answer = yield
        answer["op-1"] = SUCCEEDED
        return answer

    backend = Backend.of("here", SmallBackend(), [wrapping("poll", meddle, wrapper=True)])
    with pytest.raises(ContractViolation, match="replaced"):
        backend.poll([operation()])


def test_an_extension_may_refuse_before_the_backend_is_asked() -> None:
    def refuse(self: Any) -> Iterator[Any]:  # noqa: ARG001
        raise Unsupported("not at night")
        yield

    backend = Backend.of("here", SmallBackend(), [new_style(refuse)])
    with pytest.raises(Unsupported, match="not at night"):
        backend.call(operation())


def test_an_extension_that_breaks_before_the_backend_is_asked_is_named() -> None:
    def breaks(self: Any) -> Iterator[Any]:  # noqa: ARG001
        raise ValueError("no socket")
        yield

    backend = Backend.of("here", SmallBackend(), [new_style(breaks)])
    with pytest.raises(ContractViolation, match="extension Extension raised ValueError before"):
        backend.call(operation())


def test_what_the_backend_raises_comes_through_wrappers() -> None:
    def pass_on(self: Any) -> Iterator[Any]:  # noqa: ARG001
        return (yield)

    def old(self: Any) -> Iterator[Any]:  # noqa: ARG001
        yield

    failure = Transient("busy", 3.0)
    backend = Backend.of("here", Answering(failure), [new_style(pass_on), old_style(old)])
    with pytest.raises(Transient) as caught:
        backend.call(operation())
    assert caught.value is failure


def test_an_extension_may_ask_the_backend_while_it_wraps_a_call() -> None:
    backends: list[Backend] = []

    def curious(self: Any) -> Iterator[Any]:  # noqa: ARG001
        assert backends[0].health().ok
        answer = yield
        assert backends[0].release(operation()) == SUCCEEDED
        return answer

    backends.append(Backend.of("here", SmallBackend(), [new_style(curious)]))
    assert backends[0].call(operation()) == PROTECTED


def test_a_kill_is_no_answer_and_comes_through() -> None:
    class Kill(BaseException):
        pass

    backend = Backend.of("here", Answering(Kill()))
    with pytest.raises(Kill):
        backend.call(operation())
