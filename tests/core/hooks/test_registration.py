"""What is checked before a backend is used."""

from typing import Any

import attrs
import pytest

from karbor_backup_core import Backend, BackendInfo, BackendUnavailable, ContractViolation
from karbor_backup_core.hookspecs import BACKEND_HOOKS, OPTIONAL_HOOKS, hookimpl
from tests.core.stub_backends import INFO, SUCCEEDED, StubBackend
from tests.support.strategies import operation


def refusal_message(plugin: Any, *extensions: Any, by: type[Exception] = ContractViolation) -> str:
    with pytest.raises(by) as caught:
        Backend.from_plugin("here", plugin, extensions)
    return str(caught.value)


def test_complete_backend_is_accepted() -> None:
    backend = Backend.from_plugin("here", StubBackend())
    assert (backend.name, backend.info) == ("here", INFO)


REQUIRED_HOOKS = [hook for hook in BACKEND_HOOKS if hook not in OPTIONAL_HOOKS]


@pytest.mark.parametrize("hook", REQUIRED_HOOKS)
def test_each_hook_that_is_missing_is_named(hook: str) -> None:
    plugin = type("Lacking", (StubBackend,), {hook: None})()
    assert f"{hook} is missing: implement it" in refusal_message(plugin)


def test_all_missing_hooks_are_named_at_once() -> None:
    message = refusal_message(type("Empty", (), {})())
    assert all(f"{hook} is missing" in message for hook in REQUIRED_HOOKS)


def test_a_method_without_the_mark_is_no_hook() -> None:
    class Unmarked(StubBackend):
        def verify(self) -> Any:
            return SUCCEEDED

    assert "verify is missing: mark the method with @hookimpl" in refusal_message(Unmarked())


@pytest.mark.parametrize("hook", OPTIONAL_HOOKS)
def test_optional_hook_without_the_mark_is_refused_since_there_are_any(hook: str) -> None:
    plugin = type("Unmarked", (StubBackend,), {hook: lambda _: None})()
    assert Backend.from_plugin("here", plugin).info == INFO
    newer = type("Newer", (type(plugin),), {"describe": describe_newer})()
    assert f"{hook} is no hook: mark the method with @hookimpl" in refusal_message(newer)


@hookimpl
def describe_newer(_: Any) -> BackendInfo:
    return attrs.evolve(INFO, contract="1.1")


def test_a_wrapper_is_no_implementation() -> None:
    class Wrapping(StubBackend):
        @hookimpl(wrapper=True)
        def verify(self) -> Any:
            return (yield)

    assert "verify is missing" in refusal_message(Wrapping())


def test_one_hook_twice_is_refused() -> None:
    class Twice(StubBackend):
        @hookimpl(specname="verify")
        def also_verify(self) -> Any:
            return SUCCEEDED

    assert "verify is implemented 2 times" in refusal_message(Twice())


def test_misspelled_hook_is_reported_with_the_nearest_name() -> None:
    class Misspelled(StubBackend):
        @hookimpl
        def protct(self) -> Any:
            return SUCCEEDED

    message = refusal_message(Misspelled())
    assert "implements the hook protct" in message
    assert "did you mean 'protect'?" in message
    assert "needs contract > 1.1" in message


def test_optional_hook_of_newer_contract_is_accepted() -> None:
    class Newer(StubBackend):
        @hookimpl(optionalhook=True)
        def replicate(self) -> Any:
            return SUCCEEDED

    assert Backend.from_plugin("here", Newer()).info == INFO


def test_unknown_hook_argument_is_refused() -> None:
    class Newer(StubBackend):
        @hookimpl
        def protect(self, operation: Any, siblings: Any) -> Any:  # noqa: ARG002
            return SUCCEEDED

    message = refusal_message(Newer())
    assert "needs contract > 1.1" in message
    assert "siblings" in message


class Observer:
    @hookimpl
    def operation_changed(self, operation: Any, reason: Any) -> None:
        """Ask for an argument that there is not."""


def test_an_extension_of_a_newer_contract_is_named() -> None:
    message = refusal_message(StubBackend(), Observer())
    assert message.startswith("extension Observer")
    assert "reason" in message


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        ("1.2", "needs contract >= 1.2, this core speaks 1.1: upgrade karbor-backup"),
        ("2.0", "needs contract >= 2.0, this core speaks 1.1: upgrade karbor-backup"),
        ("0.9", "speaks contract 0.9, this core 1.1: upgrade the backend"),
    ],
)
def test_another_contract_is_refused(contract: str, message: str) -> None:
    class Other(StubBackend):
        @hookimpl
        def describe(self) -> Any:
            return attrs.evolve(INFO, contract=contract)

        @hookimpl
        def protect(self, operation: Any, siblings: Any) -> Any:  # noqa: ARG002
            return SUCCEEDED

    assert message in refusal_message(Other(), by=BackendUnavailable)


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        *[(text, "a contract version is MAJOR.MINOR") for text in ("", "1", "one", "1.0.0")],
        (1.0, "$.contract: expected str, got float"),
        (None, "$.contract: expected str, got null"),
    ],
)
def test_malformed_contract_version_is_refused(contract: Any, message: str) -> None:
    class Odd(StubBackend):
        @hookimpl
        def describe(self) -> Any:
            return attrs.evolve(INFO, contract=contract)

    assert message in refusal_message(Odd())


def test_two_extensions_of_one_class_may_look_on() -> None:
    class Counter:
        calls = 0

        @hookimpl
        def operation_changed(self) -> None:
            self.calls += 1

    one, two = Counter(), Counter()
    Backend.from_plugin("here", StubBackend(), [one, two]).notify_extensions(operation(), None)
    assert (one.calls, two.calls) == (1, 1)


def test_description_is_asked_for_once() -> None:
    asked: list[None] = []

    class Counting(StubBackend):
        @hookimpl
        def describe(self) -> Any:
            asked.append(None)
            return INFO

    Backend.from_plugin("here", Counting())
    assert len(asked) == 1


def test_missing_hook_of_another_contract_version_names_the_contract() -> None:
    class Newer:
        @hookimpl
        def describe(self) -> Any:
            return attrs.evolve(INFO, contract="2.0")

    assert "needs contract >= 2.0" in refusal_message(Newer(), by=BackendUnavailable)
