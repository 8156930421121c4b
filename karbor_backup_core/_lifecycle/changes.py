"""Changes of an operation that take no policy, and what it waits for. Pure, like the lifecycle."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import attrs

from karbor_backup_core._lifecycle.outcomes import add_leftovers
from karbor_backup_core._model import (
    Amount,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Retry,
    State,
)

T = TypeVar("T", Operation, Retry)


def evolve_retry(operation: Operation, **changes: Any) -> Operation:
    """Return an operation with these attributes of its ``Retry`` changed."""
    return attrs.evolve(operation, retry=attrs.evolve(operation.retry, **changes))


def reset_retry(operation: Operation) -> Operation:
    """Return an operation that nothing delays any more; its last error stays on record."""
    return attrs.evolve(operation, retry=Retry(operation.retry.last_error))


def set_back(instance: T, names: Sequence[str], behind: timedelta) -> T:
    """Return an instance whose instants of these names lie earlier by so much."""
    noted = {name: getattr(instance, name) for name in names}
    first = datetime.min.replace(tzinfo=UTC)  # nothing can be moved beyond it
    moved = {name: at - min(behind, at - first) for name, at in noted.items() if at is not None}
    return attrs.evolve(instance, **moved)


def is_cancel_due(operation: Operation, now: datetime) -> bool:
    """Return whether its work is to be cancelled now, or a cancel that failed to be repeated."""
    if not operation.cancel_sent:
        return is_stopping(operation, now)
    return operation.cancel_retry_at is not None and now >= operation.cancel_retry_at


def is_stopping(operation: Operation, now: datetime) -> bool:
    """Return whether no more work of it is to begin: it is cancelled, or its time is over."""
    return operation.cancel_requested or now >= operation.deadline


def start_next_phase(operation: Operation, now: datetime) -> Operation:
    """Return an operation as it is stored before the first call of its next phase."""
    return attrs.evolve(
        operation,
        state=State.SUBMITTING,
        phase=operation.phase + 1,
        attempt=1,
        submitted_at=now,
        retry=Retry(),
    )


def record_progress(operation: Operation, progress: Progress, *, take_receipt: bool) -> Operation:
    """Note how far it is; the same object comes back where nothing is new."""
    reason = progress.reason if progress.state.active else ""
    reported: dict[str, Any] = {
        "retry": Retry(reason, queued=progress.state is ProgressState.QUEUED),
        "amount": _update_amount(operation.amount, progress),
    }
    if take_receipt and progress.receipt is not None:
        reported["receipt"] = progress.receipt
    news = {name: value for name, value in reported.items() if getattr(operation, name) != value}
    return attrs.evolve(operation, **news) if news else operation


def _update_amount(amount: Amount, progress: Progress) -> Amount:
    """Return the amounts that a report names, and the earlier ones where it names none."""
    return Amount(
        done=amount.done if progress.done is None else progress.done,
        total=amount.total if progress.total is None else progress.total,
        unit=progress.unit or amount.unit,
    )


def suspend(operation: Operation, leftovers: tuple[Leftover, ...]) -> Operation:
    """Return an operation that is let go of unreleased, with what it leaves behind by name."""
    named = leftovers or (
        Leftover(
            kind="work outside" if operation.awaiting else "bookkeeping",
            id=operation.id,
            note=operation.retry.last_error
            or "it may still go on; resume the operation to clean up",
        ),
    )
    return attrs.evolve(add_leftovers(operation, named), suspended=True, lease=None)
