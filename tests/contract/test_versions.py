"""A backend written for an earlier contract lives on.

One of 1.0 does so under this contract, and one of this contract under the next one, which is made
up here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import attrs
import pluggy
import pytest

from karbor_backup_contract import Rule, RuleStatus, all_rules, run_rule
from karbor_backup_contract._execution import RuleResult
from karbor_backup_contract._process import _call_hook
from karbor_backup_contract._report import Report
from karbor_backup_core import BackendInfo, Operation, Progress, Verb, hookimpl
from karbor_backup_core._hooks.hook_caller import HookCaller
from karbor_backup_core.hookspecs import PROJECT, BackendSpec, hookspec
from karbor_backup_fake import FakeBackend
from karbor_backup_fake._abilities import ABILITIES
from karbor_backup_fake.harness import create_harness

ABILITIES_OF_CONTRACT_10 = {
    kind: {verb: ability for verb, ability in verbs.items() if verb is not Verb.COPY}
    for kind, verbs in ABILITIES.items()
}


class ContractSpec12(BackendSpec):
    """Contract 1.2: a verb has gained an argument."""

    @hookspec(firstresult=True)
    def protect(  # type: ignore[empty-body]
        self, operation: Operation, siblings: Sequence[Operation]
    ) -> Progress:
        """As before; ``siblings`` are the operations that were begun together."""


class ContractSpec13(BackendSpec):
    """Contract 1.3: an argument and a hook are on their way out."""

    @hookspec(
        firstresult=True, warn_on_impl_args={"operation": DeprecationWarning("name the id instead")}
    )
    def cancel(self, operation: Operation, operation_id: str) -> bool:  # type: ignore[empty-body]
        """As before, by id."""

    @hookspec(firstresult=True, warn_on_impl=DeprecationWarning("verify goes with contract 2"))
    def verify(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """As before."""


class BackendForContract12(FakeBackend):
    """Written for contract 1.2."""

    seen: Sequence[Any] | None = None

    @hookimpl
    def protect(self, operation: Operation, siblings: Sequence[Operation]) -> Progress:
        type(self).seen = siblings
        return super().protect(operation)


@pytest.fixture
def _next_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the core speak contract 1.2."""

    def siblings(hook: str) -> Mapping[str, Any]:
        return {"siblings": ()} if hook == "protect" else {}

    def call(self: HookCaller, hook: str, **arguments: Any) -> Any:
        return core_call(self, hook, **arguments, **siblings(hook))

    def call_bare(manager: object, hook: str, arguments: Mapping[str, Any]) -> Any:
        return bare_call(manager, hook, {**arguments, **siblings(hook)})

    core_call, bare_call = HookCaller.call, _call_hook

    monkeypatch.setattr("karbor_backup_core._hooks.registration.BackendSpec", ContractSpec12)
    monkeypatch.setattr("karbor_backup_core._hooks.registration.CONTRACT_VERSION", "1.2")
    monkeypatch.setattr(HookCaller, "call", call)
    monkeypatch.setattr("karbor_backup_contract._process.BackendSpec", ContractSpec12)
    monkeypatch.setattr("karbor_backup_contract._process._call_hook", call_bare)


class BackendForContract10(FakeBackend):
    """Written for contract 1.0, when its method ``place`` was nobody's business but its own."""

    @hookimpl
    def describe(self) -> BackendInfo:
        return attrs.evolve(
            super().describe(), contract="1.0", maintenance={}, abilities=ABILITIES_OF_CONTRACT_10
        )

    maintain = None

    def copy(self) -> NoReturn:  # type: ignore[override]
        raise AssertionError("it is no hook")

    def place(self) -> NoReturn:  # type: ignore[override]
        raise AssertionError("it is no hook")


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_a_backend_of_contract_10_keeps_every_rule_of_10(rule: Rule) -> None:
    result = run_rule(rule, create_harness(BackendForContract10))
    if rule.since == "1.0" and rule.id in {each.id for each in rules_for_the_fake()}:
        assert result == RuleResult(rule.id, RuleStatus.PASSED)
    else:
        assert result.status is RuleStatus.SKIPPED


def test_conformance_to_contract_10_needs_no_later_rule() -> None:
    results = [run_rule(rule, create_harness(BackendForContract10)) for rule in all_rules()]
    assert Report.from_results(("old", "1", "1.0"), results).conformant


def rules_for_the_fake() -> list[Rule]:
    """Return the rules that the fake's harness can be tried by."""
    info = FakeBackend({}).describe()
    return [
        rule for rule in all_rules() if not rule.unmet_reason(create_harness(FakeBackend), info)
    ]


@pytest.mark.usefixtures("_next_core")
@pytest.mark.parametrize("rule", rules_for_the_fake(), ids=lambda rule: rule.id)
def test_a_backend_without_the_new_argument_keeps_every_rule(rule: Rule) -> None:
    assert run_rule(rule, create_harness(FakeBackend)) == RuleResult(rule.id, RuleStatus.PASSED)


@pytest.mark.usefixtures("_next_core")
def test_a_backend_with_the_new_argument_gets_it() -> None:
    (rule,) = (rule for rule in all_rules() if rule.id == "C-202")
    assert run_rule(rule, create_harness(BackendForContract12)).status is RuleStatus.PASSED
    assert BackendForContract12.seen == ()


def test_deprecated_name_warns_its_users() -> None:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(ContractSpec13)
    with (
        pytest.warns(DeprecationWarning, match="name the id instead"),
        pytest.warns(DeprecationWarning, match="verify goes with contract 2"),
    ):
        manager.register(FakeBackend({}))


def always_holds(_: object) -> None:
    """Hold."""


def test_a_newer_mandatory_rule_does_not_bind_an_older_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newer = Rule("C-999", "It is new.", "Something was learnt.", always_holds, since="1.2")
    verdict = run_rule(newer, create_harness(FakeBackend))
    assert verdict.status is RuleStatus.SKIPPED
    assert "since contract 1.2" in verdict.reason
    monkeypatch.setattr("karbor_backup_contract._report.all_rules", lambda: (newer,))
    assert Report.from_results(("old", "1", "1.0"), [verdict]).conformant
    assert not Report.from_results(("new", "1", "1.2"), [verdict]).conformant
