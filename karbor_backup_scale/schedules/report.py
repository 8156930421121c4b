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
from karbor_backup_scale.schedules.operations import ScheduledOperation, resolve_schedules


def report_schedules(context: CliContext) -> None:
    """List what the schedules do, when next, and how the last time ended.

    Raises:
        KarborBackupError: a schedule does not fit, or the store cannot be used.
    """
    now = system_clock()
    scheduled = resolve_schedules(context.configuration, context.backends)
    found = [(each, _last_operation(context, each, now)) for each in scheduled]
    if context.as_json:
        emit_json({"schedules": [_to_document(each, last, now) for each, last in found]})
    elif found:
        emit_table(
            ("SCHEDULE", "CRON", "VERB", "TYPE", "RESOURCE", "NEXT", "LAST"),
            [_to_row(each, last, now) for each, last in found],
        )
    else:
        write_output("no schedules")


def _last_operation(
    context: CliContext, scheduled: ScheduledOperation, now: datetime
) -> Operation | None:
    """Return the operation of the last tick; None if it was not begun, or is forgotten."""
    try:
        return context.store.operation(scheduled.operation_id(scheduled.last_tick(now)))
    except (UnknownOperation, StoreNotFound):
        return None


def _to_document(
    scheduled: ScheduledOperation, last: Operation | None, now: datetime
) -> dict[str, Any]:
    schedule, resource = scheduled.schedule, scheduled.resource
    return {
        "name": schedule.name,
        "cron": schedule.cron,
        "timezone": schedule.timezone.key,
        "verb": schedule.verb,
        "backend": scheduled.backend.name,
        "resource": {"type": resource.type, "id": resource.id, "name": resource.name},
        "next": scheduled.next_start(now).astimezone(UTC).isoformat(),
        "last": None if last is None else {"operation": last.id, "status": format_status(last)},
    }


def _to_row(
    scheduled: ScheduledOperation, last: Operation | None, now: datetime
) -> tuple[str, ...]:
    schedule, resource = scheduled.schedule, scheduled.resource
    return (
        schedule.name,
        f"{schedule.cron} {schedule.timezone.key}",
        schedule.verb,
        resource.type,
        resource.id,
        format_time(scheduled.next_start(now)),
        "not run" if last is None else f"{format_status(last)} ({last.id})",
    )
