"""How things are put into words for a terminal; no value gets there unchecked."""

from datetime import datetime
from typing import Final

from karbor_backup_core import (
    Amount,
    InvalidDocument,
    Operation,
    Resource,
    State,
    Verb,
    printable,
    truncate_faults,
    truncate_text,
)

_LONGEST_REASON: Final = 4000
"""Characters of a reason, some of them escaped, so that a line has room for what follows."""

_ON_BACKUPS: Final = (Verb.DELETE, Verb.VERIFY, Verb.COPY)


def format_error(error: BaseException) -> str:
    """Return an error's message; places in a document are told by names, not by JSON paths."""
    if not isinstance(error, InvalidDocument):
        return str(error)
    faults = (
        fault.removeprefix("$.").removeprefix("$: ") for fault in truncate_faults(error.faults)
    )
    return f"{error.what}: {'; '.join(faults)}"


def format_reason(reason: str) -> str:
    """Return a reason fit for a line in which more follows."""
    return truncate_text(printable(reason), _LONGEST_REASON)


def format_resource(resource: Resource) -> str:
    """Name a resource with its type: ``OS::Cinder::Volume 1f3c (data)``."""
    name = f" ({resource.name})" if resource.name else ""
    return printable(f"{resource.type} {resource.id}{name}")


def format_subject(operation: Operation) -> str:
    """Return its verb and subject: ``delete of the backup of OS::Cinder::Volume 1f3c``.

    Of a maintenance that is its action and what is maintained: ``prune of restic:5f2c``.
    """
    if operation.action:
        return printable(f"{operation.action} of {operation.scope}")
    whose = "the backup of " if operation.verb in _ON_BACKUPS else ""
    return f"{operation.verb} of {whose}{format_resource(operation.resource)}"


def format_status(operation: Operation) -> str:
    """Return the state of an operation in a few words."""
    if operation.outcome is None:
        if operation.cancel_requested:
            return "cancelling"
        return "queued" if operation.queued else operation.state.value
    result = operation.outcome.result.value
    if operation.state is State.RELEASED:
        return result
    return f"{result}, left unreleased" if operation.suspended else f"{result}, cleaning up"


def format_amount(amount: Amount) -> str:
    """Write how much is done: ``3/5 actions``, ``40%``, ``1.2 MB/4.0 MB``; empty if unknown."""
    done, total, unit = amount.done, amount.total, amount.unit
    if done is None and total is None:
        return ""
    if unit == "percent":
        return "" if done is None else f"{done:.0f}%"
    known = [_format_quantity(count, unit) for count in (done, total) if count is not None]
    return "/".join(known) if unit == "bytes" else f"{'/'.join(known)} {unit}".strip()


def _format_quantity(count: float, unit: str) -> str:
    if unit == "bytes":
        from rich.filesize import decimal

        return decimal(int(count))
    return f"{count:g}"


def format_time(instant: datetime | None) -> str:
    """Write an instant in the time zone of this machine, which is named, to the second."""
    return "" if instant is None else f"{instant.astimezone():%Y-%m-%d %H:%M:%S %z}"
