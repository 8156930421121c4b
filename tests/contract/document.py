"""Writes ``docs/contract.md`` from the rules, the hooks and the mutants themselves.

Run ``python -m tests.contract.document`` after a change to one of them; a test compares.
"""

import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from karbor_backup_core.calls.witness import HOOKS
from karbor_backup_core.contract import Fault, Rule, all_rules
from karbor_backup_core.hookspecs import BackendSpec
from karbor_backup_core.version import CONTRACT_VERSION
from tests.contract.mutants.generated import HARMLESS, all_spoilt
from tests.contract.mutants.registry import all_mutants

PAGE: Final = Path("docs/contract.md")
TEXT: Final = Path(__file__).with_name("document.md")
"""What is written by hand, with a mark on a line of its own for each generated part."""


def document() -> str:
    """Answer the page."""
    parts = {
        "hooks": hooks(),
        "faults": faults(),
        "rules": rules(),
        "mutants": mutants(),
        "generated": generated(),
    }
    text = TEXT.read_text(encoding="utf-8").replace("{version}", CONTRACT_VERSION)
    for name, lines in parts.items():
        text = text.replace(f"<!-- {name} -->\n", "".join(f"{line}\n" for line in lines))
    return text


def hooks() -> Iterator[str]:
    """Answer the table of the hooks, with their exact arguments."""
    yield from _head("hook", "what it does")
    for name in HOOKS:
        hook = getattr(BackendSpec, name)
        arguments = ", ".join(list(inspect.signature(hook).parameters)[1:])
        yield _row(f"`{name}({arguments})`", inspect.getdoc(hook).splitlines()[0])


def faults() -> Iterator[str]:
    """Answer the table of the faults."""
    yield from _head("fault", "what the service does, once")
    for fault in Fault:
        yield _row(f"`{fault.name}`", fault.value)


def rules() -> Iterator[str]:
    """Answer a table of rules for each subject."""
    for subject, group in itertools.groupby(all_rules(), key=lambda rule: rule.subject):
        yield f"### {subject.capitalize()}"
        yield ""
        yield from _head("rule", "statement", "reason", "mandatory", "needs")
        for rule in group:
            yield _row(f"`{rule.id}`", rule.statement, rule.reason, _mandatory(rule), _needs(rule))
        yield ""


def mutants() -> Iterator[str]:
    """Answer the table of rules against mutants."""
    yield from _head("rule", "mutant", "its fault", "also breaks, inevitably")
    for mutant in all_mutants():
        also = ", ".join(sorted(mutant.also))
        yield _row(f"`{mutant.breaks}`", f"`{mutant.name}`", mutant.fault, also)


def generated() -> Iterator[str]:
    """Answer how many were made by rote, and the list of those that are let pass."""
    spoilt = [str(each) for each in all_spoilt()]
    noticed = len(spoilt) - len(HARMLESS)
    yield f"Of {len(spoilt)} such backends {noticed} are noticed. The others are right not to be:"
    yield ""
    yield from _head("hook and way", "why no rule has to notice")
    for name, reason in HARMLESS.items():
        yield _row(f"`{name}`", reason)


def _mandatory(rule: Rule) -> str:
    since = "" if rule.since == "1.0" else f", since {rule.since}"
    return ("yes" if rule.mandatory else "if it can be tried") + since


def _needs(rule: Rule) -> str:
    return "; ".join(need.text for need in rule.needs)


def _head(*columns: str) -> Iterator[str]:
    yield _row(*columns)
    yield _row(*("---" for _ in columns))


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
