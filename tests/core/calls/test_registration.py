"""What is checked before a backend is used."""

from typing import Any

import attrs
import pytest

from karbor_backup_core.backend import Backend
from karbor_backup_core.calls.witness import HOOKS
from karbor_backup_core.errors import BackendUnavailable, ContractViolation
from karbor_backup_core.hookspecs import hookimpl
from karbor_backup_core.model import Progress
from tests.core.backends import INFO, SUCCEEDED, SmallBackend
from tests.strategies import operation


def refused(plugin: Any, *extensions: Any, by: type[Exception] = ContractViolation) -> str:
    with pytest.raises(by) as caught:
        Backend.of("here", plugin, extensions)
    return str(caught.value)


def test_a_backend_that_implements_everything_is_taken() -> None:
    backend = Backend.of("here", SmallBackend())
    assert (backend.name, backend.info) == ("here", INFO)


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_that_is_missing_is_named(hook: str) -> None:
    plugin = type("Lacking", (SmallBackend,), {hook: None})()
    assert f"{hook} is missing: implement it" in refused(plugin)


def test_all_missing_hooks_are_named_at_once() -> None:
    message = refused(type("Empty", (), {})())
    assert all(f"{hook} is missing" in message for hook in HOOKS)


def test_a_method_without_the_mark_is_no_hook() -> None:
    class Unmarked(SmallBackend):
        def verify(self) -> Any:
            return SUCCEEDED

    assert "verify is missing: mark the method with @hookimpl" in refused(Unmarked())


def test_a_wrapper_is_no_implementation() -> None:
    class Wrapping(SmallBackend):
        @hookimpl(wrapper=True)
        def verify(self) -> Any:
            return (yield)

    assert "verify is missing" in refused(Wrapping())


def test_one_hook_twice_is_refused() -> None:
    class Twice(SmallBackend):
        @hookimpl(specname="verify")
        def also_verify(self) -> Any:
            return SUCCEEDED

    assert "verify is implemented 2 times" in refused(Twice())


def test_an_extension_must_not_answer_for_the_backend() -> None:
    class Stranger:
        @hookimpl(tryfirst=True)
        def protect(self) -> Progress:
            return SUCCEEDED

    message = refused(SmallBackend(), Stranger())
    assert "extension Stranger answers protect: an extension may only wrap it" in message


def test_a_misspelled_hook_is_told_with_the_nearest_name() -> None:
    class Misspelled(SmallBackend):
        @hookimpl
        def protct(self) -> Any:
            return SUCCEEDED

    message = refused(Misspelled())
    assert "implements the hook protct" in message
    assert "did you mean protect?" in message
    assert "needs contract > 1.0" in message


def test_an_optional_hook_of_a_newer_contract_is_let_be() -> None:
    class Newer(SmallBackend):
        @hookimpl(optionalhook=True)
        def replicate(self) -> Any:
            return SUCCEEDED

    assert Backend.of("here", Newer()).info == INFO


def test_an_argument_that_this_core_does_not_have_is_told() -> None:
    class Newer(SmallBackend):
        @hookimpl
        def protect(self, operation: Any, siblings: Any) -> Any:  # noqa: ARG002
            return SUCCEEDED

    message = refused(Newer())
    assert "needs contract > 1.0" in message
    assert "siblings" in message


class Observer:
    @hookimpl
    def operation_changed(self, operation: Any, reason: Any) -> None:
        """Ask for an argument that there is not."""


def test_an_extension_of_a_newer_contract_is_named() -> None:
    message = refused(SmallBackend(), Observer())
    assert message.startswith("extension Observer")
    assert "reason" in message


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        ("1.1", "needs contract >= 1.1, this core speaks 1.0: upgrade karbor-backup"),
        ("2.0", "needs contract >= 2.0, this core speaks 1.0: upgrade karbor-backup"),
        ("0.9", "speaks contract 0.9, this core 1.0: upgrade the backend"),
    ],
)
def test_another_contract_is_refused(contract: str, message: str) -> None:
    class Other(SmallBackend):
        @hookimpl
        def describe(self) -> Any:
            return attrs.evolve(INFO, contract=contract)

        @hookimpl
        def protect(self, operation: Any, siblings: Any) -> Any:  # noqa: ARG002
            return SUCCEEDED

    assert message in refused(Other(), by=BackendUnavailable)


@pytest.mark.parametrize("contract", ["", "1", "one", "1.0.0", 1.0, None])
def test_what_is_no_contract_version_is_refused(contract: Any) -> None:
    class Odd(SmallBackend):
        @hookimpl
        def describe(self) -> Any:
            return attrs.evolve(INFO, contract=contract)

    assert "a contract version is MAJOR.MINOR" in refused(Odd())


def test_two_extensions_of_one_class_may_look_on() -> None:
    class Counter:
        calls = 0

        @hookimpl
        def operation_changed(self) -> None:
            self.calls += 1

    one, two = Counter(), Counter()
    Backend.of("here", SmallBackend(), [one, two]).changed(operation(), None)
    assert (one.calls, two.calls) == (1, 1)


def test_extensions_that_are_equal_cannot_be_told_apart() -> None:
    @attrs.define
    class Equal:
        pass

    assert "extension Equal is given twice" in refused(SmallBackend(), Equal(), Equal())
