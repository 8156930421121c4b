"""What came of all rules: whether a backend is conformant, and if not, why."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import attrs

from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._execution import RuleResult, RuleStatus, is_told_by_another, run_rule
from karbor_backup_contract._registry import Rule, all_rules
from karbor_backup_contract.harness import Harness
from karbor_backup_core import CONTRACT_VERSION, __version__

JSON_FILE_NAME: Final = "conformance.json"
NOT_RUN: Final = "it was not run"
_MANDATORY: Final = ("is mandatory and was", "are mandatory and were")


@attrs.frozen(kw_only=True)
class Report:
    """What came of all rules for one backend.

    Attributes:
        backend: the backend's name.
        version: its version.
        declared: the contract version that it was written for.
        results: one for every rule, in their order.
        label: by what it is told apart from other reports on the same backend.
        contract: the contract version of this suite.
        core: the version of the core.
    """

    backend: str
    version: str
    declared: str
    results: tuple[RuleResult, ...]
    label: str = ""
    contract: str = CONTRACT_VERSION
    core: str = __version__

    @classmethod
    def from_results(
        cls, who: tuple[str, str, str], verdicts: Iterable[RuleResult], label: str = ""
    ) -> "Report":
        """Make a report; a rule of which nothing is known was not run, and is skipped.

        Args:
            who: the backend's name, its version, and the contract version that it declares.
            verdicts: what came of the rules that were run.
            label: by what it is told apart from others on the same backend.
        """
        known = {verdict.rule: verdict for verdict in verdicts}
        complete = tuple(
            known.get(rule.id, RuleResult(rule.id, RuleStatus.SKIPPED, NOT_RUN))
            for rule in all_rules()
        )
        name, version, declared = who
        return cls(backend=name, version=version, declared=declared, results=complete, label=label)

    @property
    def conformant(self) -> bool:
        """Whether every mandatory rule was tried and holds, and no other one was broken."""
        return not self.nonconformities()

    def nonconformities(self) -> list[str]:
        """Return a line for each rule that was broken, and for each reason why one is missing.

        Mandatory rules that could not be tried for the same reason share a line.
        """
        broken = [
            f"{verdict.rule} {verdict.status}: {verdict.reason}"
            for verdict in self.results
            if verdict.status in (RuleStatus.FAILED, RuleStatus.EXPECTED_FAILURE)
        ]
        skipped = [
            f"{', '.join(rules)} {_MANDATORY[len(rules) > 1]} skipped: {reason}"
            for reason, rules in self._missing().items()
            if reason != NOT_RUN
        ]
        not_run = len(self._missing().get(NOT_RUN, ()))
        return [
            *broken,
            *skipped,
            *([f"{not_run} mandatory rules were not run"] if not_run else ()),
        ]

    def _missing(self) -> dict[str, tuple[str, ...]]:
        """Return the mandatory rules that were not tried, by the reason why."""
        mandatory = {rule.id for rule in all_rules() if rule.is_mandatory_for(self.declared)}
        return {
            reason: missing
            for reason, rules in self.skipped().items()
            if not is_told_by_another(reason)
            and (missing := tuple(rule for rule in rules if rule in mandatory))
        }

    def summary(self) -> str:
        """Return in one line whether the backend is conformant, by how many rules."""
        verdict = "conformant" if self.conformant else "NOT conformant"
        on = f" ({self.label})" if self.label else ""
        return (
            f"{self.backend} {self.version}{on}: {verdict} to contract {self.contract}: "
            f"{self.counts()}"
        )

    def counts(self) -> str:
        """Return in words how many rules were tried and skipped, and what came of those tried."""
        found = Counter(verdict.status for verdict in self.results)
        skipped = found.pop(RuleStatus.SKIPPED, 0)
        tried = ", ".join(f"{found[status]} {status}" for status in RuleStatus if found[status])
        total = len(self.results)
        return f"{total - skipped} of {total} rules tried ({tried or 'none'}), {skipped} skipped"

    def skipped(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of the rules that were skipped, by the reason why."""
        reasons: dict[str, list[str]] = {}
        for verdict in self.results:
            if verdict.status is RuleStatus.SKIPPED:
                reasons.setdefault(verdict.reason, []).append(verdict.rule)
        return {reason: tuple(rules) for reason, rules in reasons.items()}

    def skip_lines(self) -> list[str]:
        """Return one line for each reason why optional rules were skipped, with those rules."""
        missing = self._missing()
        optional = {
            reason: [rule for rule in rules if rule not in missing.get(reason, ())]
            for reason, rules in self.skipped().items()
            if reason != NOT_RUN
        }
        return [f"skipped {', '.join(rules)}: {why}" for why, rules in optional.items() if rules]

    def details(self) -> list[str]:
        """Return the lines below the summary: what stands against it, and what was skipped."""
        return [*self.nonconformities(), *self.skip_lines()]

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "contract": self.contract,
            "core": self.core,
            "backend": {
                "name": self.backend,
                "version": self.version,
                "contract": self.declared,
            },
            "label": self.label,
            "conformant": self.conformant,
            "tried": sum(each.status is not RuleStatus.SKIPPED for each in self.results),
            "skipped": [
                {"reason": reason, "rules": list(rules)} for reason, rules in self.skipped().items()
            ],
            "rules": [
                {
                    "id": rule.id,
                    "statement": rule.statement,
                    "mandatory": rule.is_mandatory_for(self.declared),
                    "status": verdict.status.value,
                    "reason": verdict.reason,
                }
                for rule, verdict in zip(all_rules(), self.results, strict=True)
            ],
        }


def run_rules(
    harness: Callable[[], AbstractContextManager[Harness]],
    chosen: Sequence[Rule] | None = None,
    *,
    label: str = "",
    cleanup: bool = False,
    on_result: Callable[[Rule, RuleResult], None] = lambda *_: None,
) -> Report:
    """Try rules on a backend, each on a harness of its own.

    Args:
        harness: answers a new harness.
        chosen: the rules to try; all if none are given.
        label: by what the report is told apart from others on the same backend.
        cleanup: remove afterwards what each rule has left, as far as that can be.
        on_result: called with each verdict as soon as it is known.
    """
    with harness() as first:
        who = RuleContext(first).identity
    verdicts = []
    for rule in all_rules() if chosen is None else chosen:
        with harness() as fresh:
            verdicts.append(run_rule(rule, fresh, cleanup=cleanup))
        on_result(rule, verdicts[-1])
    return Report.from_results(who, verdicts, label)


def write_json_report(reports: Sequence[Report], folder: Path) -> Path:
    """Write ``conformance.json``, an array of one report for each backend; answer its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / JSON_FILE_NAME
    documents = [report.document() for report in reports]
    path.write_text(json.dumps(documents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
