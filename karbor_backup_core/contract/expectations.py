"""What rules expect of operations, and the words in which they say that it is not so."""

from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.model import Backup, Operation, Result, State


def require(holds: object, seen: str) -> None:
    """Let a rule go on if something holds.

    Raises:
        Broken: it does not; the message says what was seen.
    """
    if not holds:
        raise Broken(seen)


def said(operation: Operation) -> str:
    """Say in words how an operation stands."""
    outcome = operation.outcome
    how = operation.state.value if outcome is None else f"{outcome.result} ({outcome.reason})"
    parked = f", parked: {operation.last_error}" if operation.parked else ""
    return f"{operation.verb} of {operation.resource.type} is {how}{parked}"


def succeeded(operation: Operation) -> Operation:
    """Let an operation pass that succeeded and is released.

    Raises:
        Broken: it is not.
    """
    ended(operation, Result.SUCCEEDED)
    return operation


def ended(operation: Operation, *results: Result) -> None:
    """Let an operation pass that ended in one of these ways and is released.

    Raises:
        Broken: it did not, or it is not released.
    """
    right = operation.outcome is not None and operation.outcome.result in results
    wanted = " or ".join(results)
    require(right and operation.state is State.RELEASED, f"{said(operation)}, not {wanted}")


def backup_of(operation: Operation) -> Backup:
    """Answer the backup that a protect left.

    Raises:
        Broken: there is none.
    """
    backup = operation.outcome.backup if operation.outcome else None
    if backup is None:
        raise Broken(f"{said(operation)}, and left no backup")
    return backup
