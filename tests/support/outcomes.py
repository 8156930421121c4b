"""What a finished operation must have for a test to go on."""

from karbor_backup_core import Backup, Operation, Outcome


def get_outcome(operation: Operation) -> Outcome:
    """Return the outcome of an operation; the test fails where it has none."""
    assert operation.outcome is not None, f"operation {operation.id} is {operation.state}"
    return operation.outcome


def get_backup(operation: Operation) -> Backup:
    """Return the backup that an operation left; the test fails where it left none."""
    outcome = get_outcome(operation)
    assert outcome.backup is not None, f"operation {operation.id} left no backup: {outcome.reason}"
    return outcome.backup
