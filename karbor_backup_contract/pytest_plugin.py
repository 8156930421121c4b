"""Tells at the end of a pytest run which backends are conformant, and writes the report.

It is a plugin by entry point, loaded into every run: what it needs it imports when there is
something to tell.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from karbor_backup_contract._execution import RuleResult
    from karbor_backup_contract._report import Report

RULE_PROPERTY: Final = "contract rule"
SUITE_PROPERTY: Final = "contract suite"
_PLUGIN_NAME: Final = "karbor-backup-contract"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--contract-report`` and ``--contract-exhaustive``."""
    group = parser.getgroup("karbor-backup")
    group.addoption(
        "--contract-exhaustive",
        action="store_true",
        help="try each request and each step of a hook where the rules try a sample",
    )
    group.addoption(
        "--contract-report",
        type=Path,
        metavar="DIR",
        help="write conformance.json and a page of rules by backends into DIR",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to collect results."""
    config.pluginmanager.register(
        ResultCollector(config.getoption("contract_report")), _PLUGIN_NAME
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note on a test which rule it tries, for whoever gets its result, maybe in another process."""
    callspec = getattr(item, "callspec", None)
    rule = callspec.params.get("contract_rule") if callspec is not None else None
    if rule is not None and isinstance(item, pytest.Function) and item.cls is not None:
        item.user_properties += [(RULE_PROPERTY, rule.id), (SUITE_PROPERTY, item.cls.__name__)]


class ResultCollector:
    """What came of the rules in this run.

    Args:
        folder: where to write the report; None for nowhere.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._results: dict[str, dict[str, RuleResult]] = {}
        self._backends: dict[str, tuple[str, str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what came of one phase of one test."""
        noted: dict[str, Any] = dict(report.user_properties)
        if RULE_PROPERTY not in noted or (report.when != "call" and report.passed):
            return
        from karbor_backup_contract.testing import BACKEND_PROPERTY

        suite = noted[SUITE_PROPERTY]
        if BACKEND_PROPERTY in noted:
            name, version, contract = noted[BACKEND_PROPERTY]
            self._backends[suite] = (name, version, contract)
        self._record(suite, _build_result(report, noted))

    # In quotes: pytest has published the class since 8.4, and older ones load this plugin too.
    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Tell which backends are conformant, and write the report if it was asked for."""
        reports = [self._build_report(suite) for suite in self._results if suite in self._backends]
        if not reports:
            return
        terminalreporter.section("contract")
        for report in reports:
            terminalreporter.line(report.summary())
            for line in report.details():
                terminalreporter.line(f"  {line}")
        if self._folder is not None:
            from karbor_backup_contract._html_report import write_report

            for path in write_report(reports, self._folder):
                terminalreporter.line(f"written: {path}")

    def _record(self, suite: str, verdict: "RuleResult") -> None:
        """Keep the worst that came of a rule, which may be tried on several harnesses."""
        known = self._results.setdefault(suite, {})
        if verdict.rule not in known or verdict.is_worse_than(known[verdict.rule]):
            known[verdict.rule] = verdict

    def _build_report(self, suite: str) -> "Report":
        from karbor_backup_contract._report import Report

        who = self._backends[suite]
        label = suite.removeprefix("Test")
        told_apart = label if label.lower() != who[0].lower() else ""
        return Report.from_results(who, self._results[suite].values(), told_apart)


def _build_result(report: pytest.TestReport, noted: dict[str, Any]) -> "RuleResult":
    from karbor_backup_contract._execution import RuleResult, RuleStatus
    from karbor_backup_contract.testing import REASON_PROPERTY

    rule = noted[RULE_PROPERTY]
    if report.passed:
        return RuleResult(rule, RuleStatus.PASSED)
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        # pytest 8.3 puts this word before the reason.
        return RuleResult(rule, RuleStatus.EXPECTED_FAILURE, expected.removeprefix("reason: "))
    if report.skipped and isinstance(report.longrepr, tuple):
        return RuleResult(rule, RuleStatus.SKIPPED, report.longrepr[2].removeprefix("Skipped: "))
    return RuleResult(
        rule, RuleStatus.FAILED, noted.get(REASON_PROPERTY) or _last_line(report.longreprtext)
    )


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it broke")
