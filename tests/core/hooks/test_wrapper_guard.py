"""Extensions may refuse and measure; what the backend answers stays as it is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from karbor_backup_core import Backend, BackendError, ContractViolation, Transient, Unsupported
from karbor_backup_core.hookspecs import BACKEND_HOOKS, BackendSpec, hookimpl
from tests.core.stub_backends import PROTECTED, RUNNING, SUCCEEDED, ScriptedBackend, StubBackend
from tests.support.strategies import operation


def create_wrapper(hook: str, function: Callable[..., Iterator[Any]], **options: Any) -> Any:
    """Return an extension that wraps one hook with a generator."""
    return type("Extension", (), {hook: hookimpl(**options)(function)})()


def create_new_style(function: Callable[..., Iterator[Any]], **options: Any) -> Any:
    return create_wrapper("protect", function, wrapper=True, **options)


def create_old_style(function: Callable[..., Iterator[Any]]) -> Any:
    return create_wrapper("protect", function, hookwrapper=True)


def test_backend_hooks_are_all_hooks_of_the_contract() -> None:
    assert set(BACKEND_HOOKS) == {
        "describe", "scope", "check", "protect", "restore", "delete", "verify",
        "poll", "cancel", "release",
    }  # fmt: skip
    assert set(BACKEND_HOOKS) == {name for name in vars(BackendSpec) if not name.startswith("_")}


def test_wrapper_may_observe_the_result() -> None:
    seen: list[Any] = []

    def new(self: Any, operation: Any) -> Iterator[Any]:  # noqa: ARG001
        answer = yield
        seen.append((operation.id, answer))
        return answer

    def old(self: Any) -> Iterator[Any]:  # noqa: ARG001
        outcome = yield
        seen.append(outcome.get_result())

    backend = Backend.from_plugin(
        "here", StubBackend(), [create_new_style(new), create_old_style(old)]
    )
    assert backend.call_verb(operation()) == PROTECTED
    assert seen == [("op-1", PROTECTED), PROTECTED]


def replace(self: Any) -> Iterator[Any]:  # noqa: ARG001
    yield
    return RUNNING


def return_none(self: Any) -> Iterator[Any]:  # noqa: ARG001
    yield


def force_result(self: Any) -> Iterator[Any]:  # noqa: ARG001
    outcome = yield
    outcome.force_result(RUNNING)


def swallow(self: Any) -> Iterator[Any]:  # noqa: ARG001
    try:
        return (yield)
    except Transient:
        return SUCCEEDED


def swallow_old_style(self: Any) -> Iterator[Any]:  # noqa: ARG001
    outcome = yield
    outcome.force_result(SUCCEEDED)


def swallow_all(self: Any) -> Iterator[Any]:  # noqa: ARG001
    try:
        return (yield)
    except Transient:
        return None


def replace_exception(self: Any) -> Iterator[Any]:  # noqa: ARG001
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
        (create_new_style(replace), StubBackend()),
        (create_new_style(replace, trylast=True), StubBackend()),
        (create_new_style(replace, tryfirst=True), StubBackend()),
        (create_new_style(return_none), StubBackend()),
        (create_old_style(force_result), StubBackend()),
        (create_new_style(fail_after), StubBackend()),
        (create_new_style(swallow), ScriptedBackend(Transient("busy"))),
        (create_new_style(swallow_all), ScriptedBackend(Transient("busy"))),
        (create_old_style(swallow_old_style), ScriptedBackend(Transient("busy"))),
        (create_new_style(replace_exception), ScriptedBackend(Transient("busy"))),
    ],
)
def test_wrapper_that_changes_the_result_is_named(extension: Any, plugin: Any) -> None:
    backend = Backend.from_plugin("here", plugin, [extension])
    with pytest.raises(ContractViolation, match=r"extension Extension (replaced|raised)"):
        backend.call_verb(operation())


def test_all_wrappers_that_may_have_changed_the_result_are_named() -> None:
    def pass_on(self: Any) -> Iterator[Any]:  # noqa: ARG001
        return (yield)

    backend = Backend.from_plugin(
        "here", StubBackend(), [create_new_style(pass_on), create_new_style(replace)]
    )
    with pytest.raises(ContractViolation, match="one of extensions Extension, Extension#1"):
        backend.call_verb(operation())


def test_an_answer_to_a_poll_must_not_be_changed_in_place() -> None:
    def meddle(self: Any) -> Iterator[Any]:  # noqa: ARG001
        answer = yield
        answer["op-1"] = SUCCEEDED
        return answer

    backend = Backend.from_plugin(
        "here", StubBackend(), [create_wrapper("poll", meddle, wrapper=True)]
    )
    with pytest.raises(ContractViolation, match="replaced"):
        backend.poll([operation()])


def test_an_extension_may_refuse_before_the_backend_is_asked() -> None:
    def refuse(self: Any) -> Iterator[Any]:  # noqa: ARG001
        raise Unsupported("not at night")
        yield

    backend = Backend.from_plugin("here", StubBackend(), [create_new_style(refuse)])
    with pytest.raises(Unsupported, match="not at night"):
        backend.call_verb(operation())


def test_an_extension_that_breaks_before_the_backend_is_asked_is_named() -> None:
    def breaks(self: Any) -> Iterator[Any]:  # noqa: ARG001
        raise ValueError("no socket")
        yield

    backend = Backend.from_plugin("here", StubBackend(), [create_new_style(breaks)])
    with pytest.raises(ContractViolation, match="extension Extension raised ValueError before"):
        backend.call_verb(operation())


def test_what_the_backend_raises_comes_through_wrappers() -> None:
    def pass_on(self: Any) -> Iterator[Any]:  # noqa: ARG001
        return (yield)

    def old(self: Any) -> Iterator[Any]:  # noqa: ARG001
        yield

    failure = Transient("busy", 3.0)
    backend = Backend.from_plugin(
        "here", ScriptedBackend(failure), [create_new_style(pass_on), create_old_style(old)]
    )
    with pytest.raises(Transient) as caught:
        backend.call_verb(operation())
    assert caught.value is failure


def test_an_extension_may_ask_the_backend_while_it_wraps_a_call() -> None:
    backends: list[Backend] = []

    def curious(self: Any) -> Iterator[Any]:  # noqa: ARG001
        assert backends[0].health().ok
        answer = yield
        assert backends[0].release(operation()) == SUCCEEDED
        return answer

    backends.append(Backend.from_plugin("here", StubBackend(), [create_new_style(curious)]))
    assert backends[0].call_verb(operation()) == PROTECTED


def test_base_exception_passes_through() -> None:
    class Kill(BaseException):
        pass

    backend = Backend.from_plugin("here", ScriptedBackend(Kill()))
    with pytest.raises(Kill):
        backend.call_verb(operation())
