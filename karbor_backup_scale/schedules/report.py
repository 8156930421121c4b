"""``karbor-backup schedules``."""

from datetime import UTC, datetime
from typing import Any

from karbor_backup_cli import (
    CliContext,
    emit_json,
    emit_table,
    format_status,
    format_time,
    write_output,
)
from karbor_backup_core import Operation, StoreNotFound, UnknownOperation, system_clock
from karbor_backup_scale.schedules.protects import ScheduledProtect, resolve_schedules


def report_schedules(context: CliContext) -> None:
    """List what is protected by schedules, when next, and how the last time ended.

    Raises:
        KarborBackupError: a schedule does not fit, or the store cannot be used.
    """
    now = system_clock()
    protects = resolve_schedules(context.configuration, context.backends)
    found = [(each, _last_operation(context, each, now)) for each in protects]
    if context.as_json:
        emit_json({"schedules": [_to_document(each, last, now) for each, last in found]})
    elif found:
        emit_table(
            ("SCHEDULE", "CRON", "TYPE", "RESOURCE", "NEXT", "LAST"),
            [_to_row(each, last, now) for each, last in found],
        )
    else:
        write_output("no schedules")


def _last_operation(
    context: CliContext, protect: ScheduledProtect, now: datetime
) -> Operation | None:
    """Return the operation of the last tick; None if it was not begun, or is forgotten."""
    try:
        return context.store.operation(protect.operation_id(protect.last_tick(now)))
    except (UnknownOperation, StoreNotFound):
        return None


def _to_document(
    protect: ScheduledProtect, last: Operation | None, now: datetime
) -> dict[str, Any]:
    schedule, resource = protect.schedule, protect.resource
    return {
        "name": schedule.name,
        "cron": schedule.cron,
        "timezone": schedule.timezone.key,
        "backend": protect.backend.name,
        "resource": {"type": resource.type, "id": resource.id, "name": resource.name},
        "next": protect.next_start(now).astimezone(UTC).isoformat(),
        "last": None if last is None else {"operation": last.id, "status": format_status(last)},
    }


def _to_row(protect: ScheduledProtect, last: Operation | None, now: datetime) -> tuple[str, ...]:
    schedule, resource = protect.schedule, protect.resource
    return (
        schedule.name,
        f"{schedule.cron} {schedule.timezone.key}",
        resource.type,
        resource.id,
        format_time(protect.next_start(now)),
        "not run" if last is None else f"{format_status(last)} ({last.id})",
    )
