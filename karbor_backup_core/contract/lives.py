"""The whole life of a backup, disturbed as a rule asks for."""

from karbor_backup_core.contract.bench import Holdings
from karbor_backup_core.contract.expectations import require
from karbor_backup_core.contract.trial import Between, Trial
from karbor_backup_core.model import Backup, Operation, Resource, Verb


def restored_alike(trial: Trial, backup: Backup, between: Between | None = None) -> Operation:
    """Restore a backup into something that is then removed; its content must be the backup's.

    The content is that which the resource was written last, since nothing else is asked for here.

    Raises:
        Broken: it is not, or the restore does not succeed.
    """
    operation = trial.succeed(Verb.RESTORE, backup, between)
    compare_restored(trial, operation, trial.written[backup.resource.id])
    return operation


def compare_restored(trial: Trial, operation: Operation, content: bytes) -> None:
    """Compare what a restore made with what it should be, then remove it.

    Raises:
        Broken: it is something else.
    """
    restored = trial.restored(operation)
    seen = trial.read(restored)
    require(
        seen == content,
        f"{restored.type} {restored.id} was restored with {seen!r}, protected was {content!r}",
    )
    discard(trial, operation, restored)


def discard(trial: Trial, operation: Operation, restored: Resource) -> None:
    """Remove all that a restore made, but for the resource of old."""
    named = operation.outcome.resources if operation.outcome else ()
    for resource in {each.id: each for each in (restored, *named)}.values():
        if resource.id != operation.resource.id:
            trial.bench.resources.remove(resource)


def life(trial: Trial, kind: str, between: Between | None = None) -> None:
    """Protect a resource of a type, restore it and delete the backup; nothing may be left.

    Raises:
        Broken: one of them does not succeed, or something is left in the service.
    """
    resource = trial.make(kind)
    before = trial.holdings()
    operation = trial.succeed(Verb.PROTECT, resource, between)
    backup = trial.store.backup(operation.id)
    restored = trial.succeed(Verb.RESTORE, backup, between)
    compare_restored(trial, restored, trial.written[resource.id])
    trial.succeed(Verb.DELETE, backup, between)
    unchanged(trial, before, f"the life of a backup of {kind}")


def unchanged(trial: Trial, before: Holdings, since: str) -> None:
    """Let a rule go on if the service holds what it held before.

    Raises:
        Broken: it holds more or less.
    """
    after = trial.holdings()
    more = sorted((after.bookkeeping - before.bookkeeping) | (after.data - before.data))
    less = sorted((before.bookkeeping - after.bookkeeping) | (before.data - after.data))
    require(not more, f"left in the service after {since}: {', '.join(more)}")
    require(not less, f"gone from the service after {since}: {', '.join(less)}")
