"""All that a person may want to know of one backup or one operation, line by line."""

from collections.abc import Iterable, Iterator

from karbor_backup_cli._formatting import (
    format_amount,
    format_resource,
    format_status,
    format_subject,
    format_time,
)
from karbor_backup_cli._reports import format_check, format_part
from karbor_backup_core import Backup, Operation, printable


def format_backup(backup: Backup) -> Iterator[str]:
    """Describe a backup."""
    yield f"backup {printable(backup.id)}"
    yield from _format_fields(
        ("of", format_resource(backup.resource)),
        ("copy of", backup.copy_of),
        ("made", format_time(backup.created_at)),
        ("backend", backup.backend),
        ("scope", backup.scope),
        ("storage", backup.storage),
        *(("option", f"{name} = {value}") for name, value in backup.options.items()),
        *(("member", format_resource(member.resource)) for member in backup.members),
        *(("check", format_check(check)) for check in backup.checks),
    )


def format_operation(operation: Operation, queue: int | None = None) -> Iterator[str]:
    """Describe an operation.

    Args:
        operation: the operation.
        queue: how many others begin before it, where that is known.
    """
    outcome = operation.outcome
    yield f"operation {printable(operation.id)}"
    yield from _format_fields(
        ("does", format_subject(operation)),
        ("backup", "" if operation.backup is None else operation.backup.id),
        ("backend", operation.backend),
        ("scope", operation.scope),
        ("status", format_status(operation)),
        ("reason", "" if outcome is None else outcome.reason),
        ("progress", format_amount(operation.amount)),
        ("waits for", operation.retry.last_error),
        ("queue", "" if queue is None else f"{queue} before it"),
        ("begun", format_time(operation.created_at)),
        ("ended", format_time(operation.ended_at)),
        ("deadline", format_time(operation.deadline)),
        ("driven by", operation.owner),
        ("on host", "" if operation.place is None else operation.place.host),
        *_list_outcome_fields(operation),
    )


def _list_outcome_fields(operation: Operation) -> Iterator[tuple[str, str]]:
    outcome = operation.outcome
    if outcome is None:
        return
    for resource in outcome.resources:
        yield "restored", format_resource(resource)
    for part in outcome.parts:
        yield "part", format_part(part)
    for check in outcome.checks:
        yield "check", format_check(check)
    for leftover in outcome.leftovers:
        yield "left", f"{leftover.kind} {leftover.id} {leftover.note}"
    if operation.suspended:
        yield "to go on", f"karbor-backup resume {operation.id}"


def _format_fields(*fields: tuple[str, str]) -> Iterable[str]:
    """Write each field that says something; what a service has named comes out in one line."""
    return (f"  {name:<12} {printable(value)}".rstrip() for name, value in fields if value)
