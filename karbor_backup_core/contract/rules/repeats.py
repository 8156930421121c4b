"""Rules about calls that are repeated or late, replies that are lost and processes that die."""

import contextlib
from collections.abc import Sequence

from karbor_backup_core.contract.bench import Fault
from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.contract.expectations import backup_of, ended, require, said, succeeded
from karbor_backup_core.contract.lives import (
    compare_restored,
    discard,
    life,
    restored_alike,
    unchanged,
)
from karbor_backup_core.contract.needs import FENCED, HOLDINGS, PHASED, fault
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import CALLS_LIMIT, Trial
from karbor_backup_core.errors import KarborBackupError, Transient
from karbor_backup_core.lifecycle import Call, next_call
from karbor_backup_core.model import (
    Backup,
    Operation,
    Progress,
    ProgressState,
    Resource,
    Result,
    Verb,
)


@rule(
    "C-401",
    "A call that is repeated under the same operation and phase begins nothing anew.",
    "Whoever takes over from a dead process cannot know whether its call was heard.",
    HOLDINGS,
)
def repeats_begin_nothing(trial: Trial) -> None:
    """Throw the first answer of each verb away, and ask again in another process."""
    kind = trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    backup = trial.backup(trial.make(kind))
    for verb in trial.verbs(kind):
        target = backup.resource if verb is Verb.PROTECT else backup
        operation = trial.submitting(verb, target)
        answer = trial.process.backend.call(operation)
        _ask_again(trial, operation, answer)


@rule(
    "C-402",
    "A reply that is lost is `Transient`, and the work that it spoke of is found again.",
    "Connections break after the request has been heard.",
    HOLDINGS,
    fault(Fault.LOSE_REPLY),
    mandatory=False,
)
def lost_replies_are_found(trial: Trial) -> None:
    """Lose the reply of each verb that changes something, and ask again."""
    backup = trial.backup(trial.make(trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)))
    for verb in (Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
        operation = trial.submitting(verb, backup.resource if verb is Verb.PROTECT else backup)
        trial.arm(Fault.LOSE_REPLY)
        _ask_again(trial, _unheard(trial, operation), None)


@rule(
    "C-403",
    "Another backend object goes on between any two calls.",
    "Processes are restarted, and work is taken over by other machines: what a backend object "
    "remembers is lost.",
    HOLDINGS,
)
def restarts_are_harmless(trial: Trial) -> None:
    """Start another process before each call."""
    life(trial, trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE), trial.restart)


@rule(
    "C-404",
    "Every answer can be lost once: the call is made again, by another object, to the same end.",
    "A process may die after each request and before it has written down what came of it.",
    HOLDINGS,
)
def every_answer_may_be_lost(trial: Trial) -> None:
    """Make each call twice, the first time in a process that dies before it writes."""

    def lost(operation: Operation) -> Operation:
        return trial.restart(operation) if _called(trial, operation) else operation

    for kind in trial.kinds(Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
        life(trial, kind, lost)


@rule(
    "C-405",
    "Work in several phases is gone on with from the receipt alone.",
    "A restore in three jobs must not begin anew, nor skip one, when the process dies between two.",
    PHASED,
    mandatory=False,
)
def phases_survive(trial: Trial) -> None:
    """Start another process before each call of verbs that take several phases."""
    for verb in trial.bench.phased:
        phases = 0
        for kind in trial.kinds(Verb.PROTECT, verb):
            resource = trial.make(kind)
            target = trial.target(verb, resource)
            operation = trial.succeed(verb, target, trial.restart)
            if verb is Verb.RESTORE:
                compare_restored(trial, operation, trial.written[resource.id])
            phases = max(phases, operation.phase)
        require(phases > 1, f"{verb} was to take several phases, and took {phases}")


@rule(
    "C-406",
    "Two operations on the same resource are two pieces of work.",
    "Work is found again by the operation's id; found by the resource, it is somebody else's.",
    HOLDINGS,
)
def operations_are_told_apart(trial: Trial) -> None:
    """Begin two protects of one resource, both under doubt, and delete the first backup."""
    kind = trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    resource = trial.make(kind)
    planned = [trial.submitting(Verb.PROTECT, resource) for _ in range(2)]
    doubted = [trial.restart(operation) for operation in planned]
    begun = [trial.process.driver.step(operation) for operation in doubted]
    first, second = (succeeded(trial.finish(operation)) for operation in begun)
    trial.succeed(Verb.DELETE, trial.store.backup(first.id))
    restored_alike(trial, trial.store.backup(second.id))


@rule(
    "C-407",
    "A protect, restore or delete that is called late changes nothing of what the operation's new "
    "owner has made.",
    "A process may be paused before its request, and go on when another one has done the work.",
    HOLDINGS,
)
def late_calls_change_nothing(trial: Trial) -> None:
    """Lose the operation to another process before each call, and call when that has succeeded."""
    kind = trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    resource = trial.make(kind)
    content = trial.written[resource.id]
    protected, late = _taken_over(trial, Verb.PROTECT, resource)
    trial.rewrite(resource)
    _call_late(trial, protected, late)
    backup = backup_of(protected)
    restore, late = _taken_over(trial, Verb.RESTORE, backup)
    restored = trial.restored(restore)
    require(trial.read(restored) == content, "a late protect has changed the backup")
    changed = content[::-1]
    trial.bench.resources.write(restored, changed)
    _call_late(trial, restore, late)
    require(trial.read(restored) == changed, "a late restore has changed what was restored")
    discard(trial, restore, restored)
    _call_late(trial, *_taken_over(trial, Verb.DELETE, backup))


@rule(
    "C-408",
    "A protect or restore that is called late makes nothing of an operation that left nothing.",
    "What a cancelled operation makes nobody would ever remove, nor a backup that was deleted.",
    HOLDINGS,
    FENCED,
    mandatory=False,
)
def late_calls_make_nothing(trial: Trial) -> None:
    """Call late when the new owner was cancelled, and when its backup was deleted."""
    kind = trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    resource = trial.make(kind)
    protected, late = _taken_over(trial, Verb.PROTECT, resource)
    backup = backup_of(protected)
    for verb in (Verb.PROTECT, Verb.RESTORE):
        first = trial.submitting(verb, resource if verb is Verb.PROTECT else backup)
        cancelled = trial.finish(trial.cancel(trial.restart(first)))
        ended(cancelled, Result.CANCELLED)
        _call_late(trial, cancelled, [first])
    trial.succeed(Verb.DELETE, backup)
    _call_late(trial, protected, late)


def _taken_over(
    trial: Trial, verb: Verb, target: Resource | Backup
) -> tuple[Operation, list[Operation]]:
    """Let another process take an operation over before each call.

    Returns:
        The operation, which has succeeded, and what the calls would have been made with.
    """
    late: list[Operation] = []

    def paused(operation: Operation) -> Operation:
        if next_call(operation, trial.clock()) not in (Call.VERB, Call.RELEASE):
            return operation
        late.append(operation)
        return trial.restart(operation)

    return trial.succeed(verb, target, paused), late


def _call_late(trial: Trial, operation: Operation, late: Sequence[Operation]) -> None:
    """Make the calls of processes that have lost an operation; the service may refuse them."""
    before = trial.holdings()
    for each in late:
        _called(trial, each)
        unchanged(trial, before, f"a late call of a {operation.verb}, phase {each.phase}")


def _unheard(trial: Trial, operation: Operation) -> Operation:
    """Go on to the call whose reply is lost, through phases that begin nothing outside."""
    for _ in range(CALLS_LIMIT):
        try:
            answer = trial.process.backend.call(operation)
        except Transient:
            return operation
        heard = f"{operation.verb} answered {answer.state} although the reply was lost"
        require(answer.state is ProgressState.READY, heard)
        operation = trial.next_phase(operation)
    raise Broken(f"{said(operation)}, and loses no reply")


def _ask_again(trial: Trial, operation: Operation, answer: Progress | None) -> None:
    """Repeat a call whose answer was not stored, and see the operation to its end."""
    before = trial.holdings()
    again = trial.restart(operation)
    stored = trial.process.driver.step(again)
    after = trial.holdings()
    more = after.bookkeeping - before.bookkeeping
    if answer is not None and answer.state is ProgressState.SUCCEEDED:
        more |= after.data - before.data
    require(not more, f"a repeated {operation.verb} began anew: {', '.join(sorted(more))}")
    ended(trial.finish(stored), Result.SUCCEEDED)


def _called(trial: Trial, operation: Operation) -> bool:
    """Make the call that comes next and forget its answer, unless it only reads."""
    backend = trial.process.backend
    with contextlib.suppress(KarborBackupError):
        match next_call(operation, trial.clock()):
            case Call.VERB:
                backend.call(operation)
            case Call.RELEASE:
                backend.release(operation)
            case _:
                return False
    return True
