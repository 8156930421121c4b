"""Rules about calls that are repeated, replies that are lost and processes that die."""

import contextlib

from karbor_backup_core.contract.bench import Fault
from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.contract.expectations import ended, require, said, succeeded
from karbor_backup_core.contract.lives import compare_restored, life, restored_alike
from karbor_backup_core.contract.needs import HOLDINGS, PHASED, fault
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import CALLS_LIMIT, Trial
from karbor_backup_core.errors import KarborBackupError, Transient
from karbor_backup_core.lifecycle import Call, next_call
from karbor_backup_core.model import Operation, Progress, ProgressState, Result, Verb


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
