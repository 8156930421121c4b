"""Writes ``docs/reference/contract.md`` from the rules, the hooks and the mutants themselves.

Run ``python -m tests.contract.generate_page`` after a change to one of them; a test compares.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_contract import Fault, Rule
from karbor_backup_contract._registry import rules_by_subject
from karbor_backup_core import (
    CONTRACT_VERSION,
    Amount,
    Backup,
    Check,
    Lease,
    Leftover,
    Member,
    Operation,
    Part,
    Progress,
    Retry,
)
from karbor_backup_core.hookspecs import BACKEND_HOOKS, BackendSpec
from tests.contract.mutants.hook_mutations import EQUIVALENT_MUTATIONS, all_hook_mutations
from tests.contract.mutants.registry import all_mutants

PAGE_PATH: Final = Path("docs/reference/contract.md")
TEMPLATE_PATH: Final = Path(__file__).with_name("page_template.md")
"""What is written by hand, with a mark on a line of its own for each generated part."""


def render_page() -> str:
    """Return the page."""
    parts = {
        "hooks": hook_table(),
        "fields": field_tables(),
        "faults": fault_table(),
        "rules": rule_tables(),
        "mutants": mutant_table(),
        "generated": hook_mutation_table(),
    }
    text = TEMPLATE_PATH.read_text(encoding="utf-8").replace("{version}", CONTRACT_VERSION)
    for name, lines in parts.items():
        text = text.replace(f"<!-- {name} -->\n", "".join(f"{line}\n" for line in lines))
    return text


def hook_table() -> Iterator[str]:
    """Return the table of the hooks, with their exact arguments."""
    yield from _table_header("hook", "what it does")
    for name in BACKEND_HOOKS:
        hook = getattr(BackendSpec, name)
        arguments = ", ".join(list(inspect.signature(hook).parameters)[1:])
        yield _table_row(f"`{name}({arguments})`", inspect.getdoc(hook).splitlines()[0])


def field_tables() -> Iterator[str]:
    """Return a table of the fields of everything that a hook gets or answers."""
    for kind in (Operation, Amount, Retry, Lease, Backup, Progress, Part, Check, Leftover, Member):
        summary, described = _parse_docstring(inspect.getdoc(kind) or "")
        yield f"### `{kind.__name__}`"
        yield ""
        yield summary
        yield ""
        yield from _table_header("field", "meaning")
        for field in attrs.fields(kind):
            yield _table_row(f"`{field.name}`", described[field.name])
        yield ""


def fault_table() -> Iterator[str]:
    """Return the table of the faults."""
    yield from _table_header("fault", "what the service does, once")
    for fault in Fault:
        yield _table_row(f"`{fault.name}`", fault.value)


def rule_tables() -> Iterator[str]:
    """Return a table of rules for each subject."""
    for subject, group in rules_by_subject().items():
        yield f"### {subject.capitalize()}"
        yield ""
        yield from _table_header("rule", "statement", "reason", "mandatory", "needs")
        for rule in group:
            yield _table_row(
                f"`{rule.id}`",
                rule.statement,
                rule.reason,
                _mandatory_cell(rule),
                _requirements_cell(rule),
            )
        yield ""


def mutant_table() -> Iterator[str]:
    """Return the table of rules against mutants."""
    yield from _table_header("rule", "mutant", "its fault", "also breaks, inevitably")
    for mutant in all_mutants():
        also = ", ".join(sorted(mutant.also_breaks))
        yield _table_row(f"`{mutant.breaks}`", f"`{mutant.name}`", mutant.fault, also)


def hook_mutation_table() -> Iterator[str]:
    """Return how many were made by rote, and the list of those that are let pass."""
    spoilt = [str(each) for each in all_hook_mutations()]
    noticed = len(spoilt) - len(EQUIVALENT_MUTATIONS)
    yield f"Of {len(spoilt)} such backends {noticed} are noticed. The others are right not to be:"
    yield ""
    yield from _table_header("hook and way", "why no rule has to notice")
    for name, reason in EQUIVALENT_MUTATIONS.items():
        yield _table_row(f"`{name}`", reason)


def _parse_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Return the first line of a class's docstring, and what it says of each attribute."""
    described: dict[str, str] = {}
    name = ""
    for line in text.partition("Attributes:\n")[2].splitlines():
        if begun := re.fullmatch(r" {4}(\w+): (.+)", line):
            name, described[begun[1]] = begun[1], begun[2]
        elif line.startswith(" " * 8):
            described[name] += " " + line.strip()
    return text.partition("\n")[0], described


def _mandatory_cell(rule: Rule) -> str:
    since = "" if rule.since == "1.0" else f", since {rule.since}"
    return ("yes" if rule.mandatory else "if it can be tried") + since


def _requirements_cell(rule: Rule) -> str:
    return "; ".join(need.description for need in rule.requirements)


def _table_header(*columns: str) -> Iterator[str]:
    yield _table_row(*columns)
    yield _table_row(*("---" for _ in columns))


def _table_row(*cells: str) -> str:
    return "| " + " | ".join(_escape_cell(cell) for cell in cells) + " |"


def _escape_cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE_PATH.write_text(render_page(), encoding="utf-8")
