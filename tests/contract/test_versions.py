"""A backend written for this contract lives on under the next one, which is made up here."""

from collections.abc import Mapping, Sequence
from typing import Any

import pluggy
import pytest

from karbor_backup_core import Operation, Progress, hookimpl
from karbor_backup_core.calls.witness import ask
from karbor_backup_core.contract import Rule, Status, all_rules, judge
from karbor_backup_core.contract.report import Report
from karbor_backup_core.contract.verdict import Verdict
from karbor_backup_core.hookspecs import PROJECT, BackendSpec, hookspec
from karbor_backup_fake import FakeBackend
from karbor_backup_fake.bench import bench


class NextSpec(BackendSpec):
    """Contract 1.1: a verb has gained an argument."""

    @hookspec(firstresult=True)
    def protect(  # type: ignore[empty-body]
        self, operation: Operation, siblings: Sequence[Operation]
    ) -> Progress:
        """As before; ``siblings`` are the operations that were begun together."""


class Retiring(BackendSpec):
    """Contract 1.2: an argument and a hook are on their way out."""

    @hookspec(
        firstresult=True, warn_on_impl_args={"operation": DeprecationWarning("name the id instead")}
    )
    def cancel(self, operation: Operation, operation_id: str) -> bool:  # type: ignore[empty-body]
        """As before, by id."""

    @hookspec(firstresult=True, warn_on_impl=DeprecationWarning("verify goes with contract 2"))
    def verify(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """As before."""


class Newer(FakeBackend):
    """Written for contract 1.1."""

    seen: Sequence[Any] | None = None

    @hookimpl
    def protect(self, operation: Operation, siblings: Sequence[Operation]) -> Progress:
        type(self).seen = siblings
        return super().protect(operation)


@pytest.fixture
def _next_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the core speak contract 1.1."""

    def ask_more(manager: pluggy.PluginManager, hook: str, arguments: Mapping[str, Any]) -> Any:
        more = {"siblings": ()} if hook == "protect" else {}
        return ask(manager, hook, {**arguments, **more})

    monkeypatch.setattr("karbor_backup_core.calls.registration.BackendSpec", NextSpec)
    monkeypatch.setattr("karbor_backup_core.calls.registration.CONTRACT_VERSION", "1.1")
    monkeypatch.setattr("karbor_backup_core.backend.ask", ask_more)
    monkeypatch.setattr("karbor_backup_core.contract.process.ask", ask_more)


@pytest.mark.usefixtures("_next_core")
@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_a_backend_without_the_new_argument_keeps_every_rule(rule: Rule) -> None:
    assert judge(rule, bench()) == Verdict(rule.id, Status.PASSED)


@pytest.mark.usefixtures("_next_core")
def test_a_backend_with_the_new_argument_gets_it() -> None:
    (rule,) = (rule for rule in all_rules() if rule.id == "C-202")
    assert judge(rule, bench(Newer)).status is Status.PASSED
    assert Newer.seen == ()


def test_what_is_retired_is_told_to_those_that_use_it() -> None:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Retiring)
    with (
        pytest.warns(DeprecationWarning, match="name the id instead"),
        pytest.warns(DeprecationWarning, match="verify goes with contract 2"),
    ):
        manager.register(FakeBackend({}))


def kept(_: object) -> None:
    """Hold."""


def test_a_newer_mandatory_rule_does_not_bind_an_older_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newer = Rule("C-999", "It is new.", "Something was learnt.", kept, since="1.1")
    verdict = judge(newer, bench())
    assert verdict.status is Status.SKIPPED
    assert "since contract 1.1" in verdict.reason
    monkeypatch.setattr("karbor_backup_core.contract.report.all_rules", lambda: (newer,))
    assert Report.of(("old", "1", "1.0"), [verdict]).conformant
    assert not Report.of(("new", "1", "1.1"), [verdict]).conformant
