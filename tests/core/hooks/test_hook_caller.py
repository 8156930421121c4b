"""Extensions may refuse and measure a call; what the backend answers stays as it is."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from karbor_backup_core import (
    Backend,
    BackendError,
    ContractViolation,
    InvalidInput,
    Transient,
    Unsupported,
)
from karbor_backup_core.hookspecs import (
    BACKEND_HOOKS,
    EXTENSION_HOOKS,
    BackendSpec,
    ExtensionSpec,
    hookimpl,
)
from karbor_backup_core.secrets import Secret
from tests.core.stub_backends import PROTECTED, SUCCEEDED, ScriptedBackend, StubBackend
from tests.support.strategies import operation

CANARY = "canary-of-a-secret"


class Recorder:
    """Notes every call."""

    def __init__(self) -> None:
        self.before: list[tuple[str, Mapping[str, Any]]] = []
        self.after: list[tuple[str, Any, Any]] = []

    @hookimpl
    def before_call(self, hook: str, arguments: Mapping[str, Any]) -> None:
        self.before.append((hook, dict(arguments)))

    @hookimpl
    def after_call(self, hook: str, result: Any, error: Any, seconds: float) -> None:
        assert seconds >= 0
        self.after.append((hook, result, error))


class Refusal:
    """Refuses one hook of the backend."""

    def __init__(self, error: Exception, hook: str = "protect") -> None:
        self._refused = hook
        self._error = error

    @hookimpl
    def before_call(self, hook: str) -> None:
        if hook == self._refused:
            raise self._error


def test_hooks_are_all_hooks_of_the_contract() -> None:
    assert set(BACKEND_HOOKS) == {
        "describe", "scope", "check", "protect", "restore", "delete", "verify",
        "poll", "cancel", "release", "place", "maintain", "copy", "dependents",
        "shared_resources",
    }  # fmt: skip
    assert set(BACKEND_HOOKS) == {name for name in vars(BackendSpec) if not name.startswith("_")}
    assert EXTENSION_HOOKS == ("before_call", "after_call", "operation_changed")
    assert {name for name in vars(ExtensionSpec) if name[0] != "_"} == set(EXTENSION_HOOKS)


def test_extension_is_notified_of_each_call_and_its_result() -> None:
    recorder = Recorder()
    backend = Backend.from_plugin("here", StubBackend(), [recorder])
    assert backend.call_verb(operation()) == PROTECTED
    assert [hook for hook, _ in recorder.before] == ["describe", "protect"]
    assert recorder.before[-1] == ("protect", {"operation": operation()})
    assert recorder.after[-1] == ("protect", PROTECTED, None)


def test_extension_gets_the_exception_that_the_core_gets() -> None:
    recorder, failure = Recorder(), Transient("busy", 3.0)
    backend = Backend.from_plugin("here", ScriptedBackend(failure), [recorder])
    with pytest.raises(Transient) as caught:
        backend.call_verb(operation())
    assert caught.value is failure
    assert recorder.after[-1] == ("protect", None, failure)


def test_no_extension_can_change_arguments_or_the_answers_of_a_poll() -> None:
    class Meddler:
        @hookimpl
        def before_call(self, arguments: Any) -> None:
            arguments["operations"] = ()

        @hookimpl
        def after_call(self, result: Any) -> None:
            result["op-1"] = SUCCEEDED

    class Changing(Meddler):
        @hookimpl
        def before_call(self) -> None:
            """Leave the arguments alone."""

    with pytest.raises(BackendError, match="extension Meddler: before_call: TypeError"):
        Backend.from_plugin("here", StubBackend(), [Meddler()])
    backend = Backend.from_plugin("here", StubBackend(), [Changing()])
    assert backend.poll([operation()])["op-1"].state == "running"


@pytest.mark.parametrize("returned", [SUCCEEDED, None, True])
def test_return_value_of_an_extension_is_ignored(returned: object) -> None:
    class Answering:
        @hookimpl
        def before_call(self) -> Any:
            return returned

        @hookimpl(tryfirst=True)
        def after_call(self) -> Any:
            return returned

    backend = Backend.from_plugin("here", StubBackend(), [Answering()])
    assert backend.call_verb(operation()) == PROTECTED


@pytest.mark.parametrize("answer", [PROTECTED, Transient("busy")])
def test_exception_after_a_call_is_logged_and_replaces_nothing(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        @hookimpl
        def after_call(self, hook: str) -> None:
            if hook == "protect":
                raise ValueError(f"cannot write the metric {CANARY}")

    recorder, secrets = Recorder(), [Secret(CANARY)]
    backend = Backend.from_plugin("here", ScriptedBackend(answer), [Broken(), recorder], secrets)
    with caplog.at_level(logging.ERROR):
        if isinstance(answer, Exception):
            with pytest.raises(Transient, match="busy"):
                backend.call_verb(operation())
        else:
            assert backend.call_verb(operation()) == answer
    assert "extension Broken: after_call: ValueError: cannot write the metric ***" in caplog.text
    assert CANARY not in caplog.text
    assert recorder.after[-1][0] == "protect"


@pytest.mark.parametrize(
    "refusal", [Unsupported("not at night"), InvalidInput("no"), Transient("later", 5.0)]
)
def test_extension_may_refuse_before_the_backend_is_called(refusal: Exception) -> None:
    recorder, plugin = Recorder(), ScriptedBackend(AssertionError("it was called"))
    backend = Backend.from_plugin("here", plugin, [Refusal(refusal), recorder])
    with pytest.raises(type(refusal)) as caught:
        backend.call_verb(operation())
    assert caught.value is refusal
    assert [hook for hook, *_ in recorder.after] == ["describe"]


def test_extension_that_breaks_before_a_call_is_named() -> None:
    backend = Backend.from_plugin("here", StubBackend(), [Refusal(ValueError("no socket"))])
    with pytest.raises(BackendError, match="extension Refusal: before_call: ValueError: no socket"):
        backend.call_verb(operation())


@pytest.mark.parametrize("options", [{}, {"tryfirst": True}, {"wrapper": True}])
@pytest.mark.parametrize("hook", BACKEND_HOOKS)
def test_extension_that_implements_or_wraps_a_hook_of_the_backend_is_refused(
    hook: str, options: Mapping[str, bool]
) -> None:
    def function(self: Any) -> Any:  # noqa: ARG001
        yield

    extension = type("Stranger", (), {hook: hookimpl(**options)(function)})()
    with pytest.raises(ContractViolation, match=f"extension Stranger implements {hook}: only"):
        Backend.from_plugin("here", StubBackend(), [extension])


def test_backend_may_look_on_itself() -> None:
    class Measured(Recorder, StubBackend):
        def __init__(self) -> None:
            Recorder.__init__(self)

    plugin = Measured()
    assert Backend.from_plugin("here", plugin).call_verb(operation()) == PROTECTED
    assert [hook for hook, *_ in plugin.after] == ["describe", "protect"]


def test_extension_may_call_the_backend_during_a_call() -> None:
    backends: list[Backend] = []

    class Curious:
        @hookimpl
        def before_call(self, hook: str) -> None:
            if hook == "protect":
                assert backends[0].health().ok

        @hookimpl
        def after_call(self, hook: str) -> None:
            if hook == "protect":
                assert backends[0].release(operation()) == SUCCEEDED

    backends.append(Backend.from_plugin("here", StubBackend(), [Curious()]))
    assert backends[0].call_verb(operation()) == PROTECTED


def test_base_exception_passes_through() -> None:
    class Kill(BaseException):
        pass

    backend = Backend.from_plugin("here", ScriptedBackend(Kill()))
    with pytest.raises(Kill):
        backend.call_verb(operation())
