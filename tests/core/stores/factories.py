"""Operations and backups in the states that tests of stores need."""

from datetime import timedelta

import attrs

from karbor_backup_core import Backup, Operation, Outcome, Resource, Result, State, Verb
from tests.support.strategies import EARLY, operation

LATER = EARLY + timedelta(minutes=1)


def make_backup(backup_id: str = "b-1", **changes: object) -> Backup:
    """Return a plain backup with these attributes changed."""
    plain = Backup(
        id=backup_id,
        resource=Resource("OS::Cinder::Volume", "volume-1"),
        backend="there",
        scope="somewhere",
        handle={"version": 1},
        storage="shelf",
        created_at=EARLY,
    )
    return attrs.evolve(plain, **changes)


def submitting_operation(of: Operation) -> Operation:
    """Return an operation as it is written when its first phase begins."""
    return attrs.evolve(of, state=State.SUBMITTING, phase=1, attempt=1)


def ended_operation(
    of: Operation, result: Result = Result.SUCCEEDED, **outcome: object
) -> Operation:
    """Return an operation with its outcome."""
    return attrs.evolve(of, state=State.ENDED, outcome=Outcome(result, **outcome))


def released_operation(of: Operation) -> Operation:
    """Return an operation as it is written last."""
    return attrs.evolve(of, state=State.RELEASED, lease=None)


def delete_operation(operation_id: str, of: Backup) -> Operation:
    """Return the operation that deletes a backup."""
    return operation(id=operation_id, verb=Verb.DELETE, backup=of)
