"""What rules expect of operations, and the words in which they say that it is not so."""

from karbor_backup_contract._violation import RuleViolation
from karbor_backup_core import Backup, Operation, Result, State


def require(holds: object, seen: str) -> None:
    """Let a rule go on if something holds.

    Raises:
        RuleViolation: it does not; the message says what was seen.
    """
    if not holds:
        raise RuleViolation(seen)


def describe_operation(operation: Operation) -> str:
    """Describe the state of an operation in words."""
    outcome = operation.outcome
    how = operation.state.value if outcome is None else f"{outcome.result} ({outcome.reason})"
    suspended = f", suspended: {operation.retry.last_error}" if operation.suspended else ""
    return f"{operation.verb} of {operation.resource.type} is {how}{suspended}"


def require_running(operation: Operation) -> Operation:
    """Let an operation pass whose work goes on outside.

    Raises:
        RuleViolation: it does not.
    """
    right = operation.state is State.RUNNING
    require(right, f"{describe_operation(operation)}, and should be running")
    return operation


def require_success(operation: Operation) -> Operation:
    """Let an operation pass that succeeded and is released.

    Raises:
        RuleViolation: it is not.
    """
    require_outcome(operation, Result.SUCCEEDED)
    return operation


def require_outcome(operation: Operation, *results: Result) -> None:
    """Let an operation pass that ended in one of these ways and is released.

    Raises:
        RuleViolation: it did not, or it is not released.
    """
    wanted = " or ".join(results)
    require(
        operation.result in results,
        f"{describe_operation(operation)}, not {wanted}",
    )


def require_backup(operation: Operation) -> Backup:
    """Return the backup that a protect left.

    Raises:
        RuleViolation: there is none.
    """
    backup = operation.outcome.backup if operation.outcome else None
    if backup is None:
        raise RuleViolation(f"{describe_operation(operation)}, and left no backup")
    return backup
