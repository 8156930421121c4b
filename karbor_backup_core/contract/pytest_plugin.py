"""Tells at the end of a pytest run which backends are conformant, and writes the report.

It is a plugin by entry point, loaded into every run: what it needs it imports when there is
something to tell.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from karbor_backup_core.contract.report import Report
    from karbor_backup_core.contract.verdict import Verdict

RULE: Final = "contract rule"
SUITE: Final = "contract suite"
_NAME: Final = "karbor-backup-contract"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--contract-report``."""
    parser.getgroup("karbor-backup").addoption(
        "--contract-report",
        type=Path,
        metavar="DIR",
        help="write conformance.json and a page of rules by backends into DIR",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to collect results."""
    config.pluginmanager.register(Results(config.getoption("contract_report")), _NAME)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note on a test which rule it tries, for whoever gets its result, maybe in another process."""
    callspec = getattr(item, "callspec", None)
    rule = callspec.params.get("contract_rule") if callspec is not None else None
    if rule is not None and isinstance(item, pytest.Function) and item.cls is not None:
        item.user_properties += [(RULE, rule.id), (SUITE, item.cls.__name__)]


class Results:
    """What came of the rules in this run.

    Args:
        folder: where to write the report; None for nowhere.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._verdicts: dict[str, dict[str, Verdict]] = {}
        self._backends: dict[str, tuple[str, str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what came of one phase of one test."""
        noted: dict[str, Any] = dict(report.user_properties)
        if RULE not in noted or (report.when != "call" and report.passed):
            return
        from karbor_backup_core.contract.testing import BACKEND

        suite = noted[SUITE]
        if BACKEND in noted:
            name, version, contract = noted[BACKEND]
            self._backends[suite] = (name, version, contract)
        self._take(suite, _verdict(report, noted))

    # In quotes: pytest has published the class since 8.4, and older ones load this plugin too.
    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Tell which backends are conformant, and write the report if it was asked for."""
        reports = [self._report(suite) for suite in self._verdicts if suite in self._backends]
        if not reports:
            return
        terminalreporter.section("contract")
        for report in reports:
            terminalreporter.line(report.summary())
            for line in report.against():
                terminalreporter.line(f"  {line}")
        if self._folder is not None:
            from karbor_backup_core.contract.page import write_report

            for path in write_report(reports, self._folder):
                terminalreporter.line(f"written: {path}")

    def _take(self, suite: str, verdict: "Verdict") -> None:
        """Keep the worst that came of a rule, which may be tried on several benches."""
        known = self._verdicts.setdefault(suite, {})
        if verdict.rule not in known or verdict.worse_than(known[verdict.rule]):
            known[verdict.rule] = verdict

    def _report(self, suite: str) -> "Report":
        from karbor_backup_core.contract.report import Report

        who = self._backends[suite]
        label = suite.removeprefix("Test")
        told_apart = label if label.lower() != who[0].lower() else ""
        return Report.of(who, self._verdicts[suite].values(), told_apart)


def _verdict(report: pytest.TestReport, noted: dict[str, Any]) -> "Verdict":
    from karbor_backup_core.contract.testing import REASON
    from karbor_backup_core.contract.verdict import Status, Verdict

    rule = noted[RULE]
    if report.passed:
        return Verdict(rule, Status.PASSED)
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        # pytest 8.3 puts this word before the reason.
        return Verdict(rule, Status.EXPECTED, expected.removeprefix("reason: "))
    if report.skipped and isinstance(report.longrepr, tuple):
        return Verdict(rule, Status.SKIPPED, report.longrepr[2].removeprefix("Skipped: "))
    return Verdict(rule, Status.FAILED, noted.get(REASON) or _last_line(report.longreprtext))


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it broke")
