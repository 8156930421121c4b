"""All that a person may want to know of one backup or one operation, line by line."""

from collections.abc import Iterable, Iterator

from karbor_backup_core.cli.reports import check_line, part_line
from karbor_backup_core.cli.text import amount, moment, status, subject, title
from karbor_backup_core.escaping import printable
from karbor_backup_core.model import Backup, Operation


def backup_lines(backup: Backup) -> Iterator[str]:
    """Describe a backup."""
    yield f"backup {printable(backup.id)}"
    yield from _fields(
        ("of", title(backup.resource)),
        ("made", moment(backup.created_at)),
        ("backend", backup.backend),
        ("scope", backup.scope),
        ("storage", backup.storage),
        *(("option", f"{name} = {value}") for name, value in backup.options.items()),
        *(("member", title(member.resource)) for member in backup.members),
        *(("check", check_line(check)) for check in backup.checks),
    )


def operation_lines(operation: Operation) -> Iterator[str]:
    """Describe an operation."""
    outcome = operation.outcome
    yield f"operation {printable(operation.id)}"
    yield from _fields(
        ("does", subject(operation)),
        ("backup", "" if operation.backup is None else operation.backup.id),
        ("backend", operation.backend),
        ("scope", operation.scope),
        ("status", status(operation)),
        ("reason", "" if outcome is None else outcome.reason),
        ("progress", amount(operation.done, operation.total, operation.unit)),
        ("waits for", operation.last_error),
        ("begun", moment(operation.created_at)),
        ("ended", moment(operation.ended_at)),
        ("deadline", moment(operation.deadline)),
        ("driven by", operation.owner),
        *_outcome_fields(operation),
    )


def _outcome_fields(operation: Operation) -> Iterator[tuple[str, str]]:
    outcome = operation.outcome
    if outcome is None:
        return
    for resource in outcome.resources:
        yield "restored", title(resource)
    for part in outcome.parts:
        yield "part", part_line(part)
    for check in outcome.checks:
        yield "check", check_line(check)
    for leftover in outcome.leftovers:
        yield "left", f"{leftover.kind} {leftover.id} {leftover.note}"
    if operation.parked:
        yield "to go on", f"karbor-backup resume {operation.id}"


def _fields(*fields: tuple[str, str]) -> Iterable[str]:
    """Write each field that says something; what a service has named comes out in one line."""
    return (f"  {name:<12} {printable(value)}".rstrip() for name, value in fields if value)
