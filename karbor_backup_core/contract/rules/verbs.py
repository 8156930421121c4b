"""Rules about what the verbs do to resources and backups."""

from karbor_backup_core.contract.expectations import ended, require, said
from karbor_backup_core.contract.lives import compare_restored, discard, restored_alike, unchanged
from karbor_backup_core.contract.needs import COMPOUND, HOLDINGS, VERIFY
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import Trial
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.errors import InvalidInput
from karbor_backup_core.model import Backup, Result, Verb


@rule(
    "C-201",
    "Every verb that is declared for a type succeeds.",
    "What is declared must work; users choose by it.",
)
def declared_works(trial: Trial) -> None:
    """Protect, then verify, restore and delete, as far as declared."""
    for kind in trial.kinds(Verb.PROTECT):
        backup = trial.backup(trial.make(kind))
        for verb in (Verb.VERIFY, Verb.RESTORE, Verb.DELETE):
            if trial.supports(kind, verb):
                trial.succeed(verb, backup)


@rule(
    "C-202",
    "The data that comes back is the data that was protected, whatever became of it since.",
    "It is what a backup is for.",
)
def data_comes_back(trial: Trial) -> None:
    """Protect, write something else, restore, compare."""
    for kind in trial.kinds(Verb.PROTECT, Verb.RESTORE):
        resource = trial.make(kind)
        backup, content = trial.backup(resource), trial.written[resource.id]
        trial.rewrite(resource)
        compare_restored(trial, trial.succeed(Verb.RESTORE, backup), content)


@rule(
    "C-203",
    "A backup can be restored when its resource is gone.",
    "A backup is needed most when there is nothing else.",
)
def lost_resources_come_back(trial: Trial) -> None:
    """Protect, lose the resource, restore."""
    for kind in trial.kinds(Verb.PROTECT, Verb.RESTORE):
        resource = trial.make(kind)
        backup = trial.backup(resource)
        trial.bench.resources.remove(resource)
        restored_alike(trial, backup)


@rule(
    "C-204",
    "A delete removes its backup and no other: neither the older nor the newer one of the same "
    "resource, nor a neighbour's.",
    "Storage shared between backups has been removed with the first of them before.",
)
def delete_is_exact(trial: Trial) -> None:
    """Delete the one in the middle of three, and restore all others."""
    kind = trial.kind(Verb.PROTECT, Verb.DELETE, Verb.RESTORE)
    resource, neighbour = trial.make(kind), trial.make(kind)
    kept: list[tuple[Backup, bytes]] = [(trial.backup(neighbour), trial.written[neighbour.id])]
    kept.append((trial.backup(resource), trial.written[resource.id]))
    trial.rewrite(resource)
    middle = trial.backup(resource)
    trial.rewrite(resource)
    kept.append((trial.backup(resource), trial.written[resource.id]))
    trial.succeed(Verb.DELETE, middle)
    for backup, content in kept:
        compare_restored(trial, trial.succeed(Verb.RESTORE, backup), content)


@rule(
    "C-205",
    "A delete of a backup that is gone already succeeds.",
    "A delete is repeated by those who do not know whether it was done.",
)
def delete_twice(trial: Trial) -> None:
    """Delete a backup twice."""
    backup = trial.backup(trial.make(trial.kind(Verb.PROTECT, Verb.DELETE)))
    for _ in range(2):
        trial.succeed(Verb.DELETE, backup)


@rule(
    "C-206",
    "A restore of a backup that is gone fails, says why, and leaves nothing.",
    "An empty resource that looks restored is worse than none.",
    HOLDINGS,
)
def restore_of_what_is_gone(trial: Trial) -> None:
    """Delete a backup, then restore it."""
    backup = trial.backup(trial.make(trial.kind(Verb.PROTECT, Verb.DELETE, Verb.RESTORE)))
    trial.succeed(Verb.DELETE, backup)
    before = trial.holdings()
    operation = trial.done(Verb.RESTORE, backup)
    ended(operation, Result.FAILED)
    unchanged(trial, before, "a restore of what is gone")


@rule(
    "C-207",
    "A verify of a whole backup succeeds, and its checks say what was seen and what was not.",
    "A verify that says nothing cannot be told from one that looked at nothing.",
    VERIFY,
    mandatory=False,
)
def verify_says_what_it_saw(trial: Trial) -> None:
    """Verify a backup that was just made."""
    kind = trial.kind(Verb.PROTECT, Verb.VERIFY)
    operation = trial.succeed(Verb.VERIFY, trial.backup(trial.make(kind)))
    checks = operation.outcome.checks if operation.outcome else ()
    require(checks, "the verify has no checks")
    for check in checks:
        require(check.verified or check.reason, f"{check.name} is unverified without a reason")


@rule(
    "C-208",
    "A verify of a backup that is gone does not succeed.",
    "It is asked to find out just that.",
    VERIFY,
    mandatory=False,
)
def verify_of_what_is_gone(trial: Trial) -> None:
    """Delete a backup, then verify it."""
    backup = trial.backup(trial.make(trial.kind(Verb.PROTECT, Verb.DELETE, Verb.VERIFY)))
    trial.succeed(Verb.DELETE, backup)
    ended(trial.done(Verb.VERIFY, backup), Result.FAILED)


@rule(
    "C-209",
    "A backup's JSON alone is enough to restore it in another process.",
    "After a disaster there is no store, only what was written down elsewhere.",
)
def json_is_enough(trial: Trial) -> None:
    """Restore in another process what came through JSON."""
    backup = trial.backup(trial.make(trial.kind(Verb.PROTECT, Verb.RESTORE)))
    document = to_document(backup)
    elsewhere = Trial(trial.bench)
    elsewhere.written = trial.written
    restored_alike(elsewhere, from_document(Backup, document))


@rule(
    "C-210",
    "A member of a backup can be restored alone.",
    "One lost volume must not take a whole project back in time.",
    COMPOUND,
    mandatory=False,
)
def members_are_restorable(trial: Trial) -> None:
    """Restore every member of a backup of each compound type."""
    for kind in trial.bench.compound:
        backup = trial.backup(trial.make(kind))
        require(backup.members, f"the backup of a {kind} has no members")
        for member in backup.members:
            content = trial.read(member.resource)
            operation = trial.succeed(Verb.RESTORE, member)
            compare_restored(trial, operation, content)


@rule(
    "C-211",
    "A protect of a resource that is not there fails, says why, and leaves nothing.",
    "Resources go while protects of them are planned.",
    HOLDINGS,
)
def protect_of_what_is_gone(trial: Trial) -> None:
    """Lose a resource, then protect it. To refuse it as wrong input is right as well."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    trial.bench.resources.remove(resource)
    before = trial.holdings()
    try:
        operation = trial.done(Verb.PROTECT, resource)
    except InvalidInput:
        return
    ended(operation, Result.FAILED)
    require(operation.outcome and operation.outcome.reason, f"{said(operation)} without a reason")
    unchanged(trial, before, "a protect of what is gone")


@rule(
    "C-212",
    "A restore says which resource holds the data now, of the type that was protected, and what "
    "each member has become.",
    "Whoever restored something has to find it.",
)
def restored_resource_is_named(trial: Trial) -> None:
    """Restore, and look at the resource."""
    for kind in trial.kinds(Verb.PROTECT, Verb.RESTORE):
        operation = trial.succeed(Verb.RESTORE, trial.backup(trial.make(kind)))
        restored = trial.restored(operation)
        require(restored.type == kind, f"a {kind} was restored as a {restored.type}")
        require(restored.id, f"a {kind} was restored without an id")
        for part in operation.outcome.parts if operation.outcome else ():
            require(part.restored, f"{part.resource.type} {part.resource.id} became nothing")
        discard(trial, operation, restored)
