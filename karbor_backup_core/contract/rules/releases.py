"""Rules about ``release``: the service keeps nothing of an operation that is over."""

import attrs

from karbor_backup_core.contract.bench import Fault
from karbor_backup_core.contract.expectations import require
from karbor_backup_core.contract.lives import life, restored_alike, unchanged
from karbor_backup_core.contract.needs import HOLDINGS, fault
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import Trial
from karbor_backup_core.model import Outcome, ProgressState, Result, State, Verb

_FAILED = Outcome(Result.FAILED, reason="the contract says so")


@rule(
    "C-801",
    "After a success the service keeps no bookkeeping of the operation.",
    "A job a night for each volume fills any table.",
    HOLDINGS,
)
def success_leaves_no_bookkeeping(trial: Trial) -> None:
    """Compare the bookkeeping before and after each verb."""
    kind = trial.kind(Verb.PROTECT, Verb.DELETE)
    before = trial.holdings().bookkeeping
    backup = trial.backup(trial.make(kind))
    for verb in trial.verbs(kind):
        trial.succeed(verb, backup.resource if verb is Verb.PROTECT else backup)
        left = trial.holdings().bookkeeping - before
        require(not left, f"left after a {verb}: {', '.join(sorted(left))}")


@rule(
    "C-802",
    "A protect and a delete leave the service as it was, for every type.",
    "What a delete forgets is paid for until somebody looks.",
    HOLDINGS,
)
def nothing_is_left_in_the_end(trial: Trial) -> None:
    """Live through the life of a backup of each type."""
    for kind in trial.kinds(Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
        life(trial, kind)


@rule(
    "C-803",
    "A release that is repeated succeeds, and spares the backup.",
    "A process may die between the release and the note of it.",
    HOLDINGS,
)
def releases_may_be_repeated(trial: Trial) -> None:
    """Release a protect again, in another process, and restore the backup."""
    operation = trial.succeed(Verb.PROTECT, trial.make(trial.kind(Verb.PROTECT, Verb.RESTORE)))
    before = trial.holdings()
    again = attrs.evolve(operation, state=State.RELEASING)
    answer = trial.new_process().backend.release(again)
    require(answer.state is ProgressState.SUCCEEDED, f"a second release is {answer.state}")
    unchanged(trial, before, "a second release")
    restored_alike(trial, trial.store.backup(operation.id))


@rule(
    "C-804",
    "A release of an operation of which nothing was begun succeeds.",
    "A call that was refused is released like any other.",
    HOLDINGS,
)
def nothing_to_release(trial: Trial) -> None:
    """Release what was never begun."""
    operation = trial.submitting(Verb.PROTECT, trial.make(trial.kind(Verb.PROTECT)))
    before = trial.holdings()
    over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED)
    answer = trial.process.backend.release(over)
    require(answer.state is ProgressState.SUCCEEDED, f"a release of nothing is {answer.state}")
    unchanged(trial, before, "a release of nothing")


@rule(
    "C-805",
    "A release never touches work that still runs: it is `running` until that ended.",
    "Bookkeeping removed too early makes orphans: they run on, and nobody can find them.",
    HOLDINGS,
    fault(Fault.STALL),
    mandatory=False,
)
def running_work_is_not_released(trial: Trial) -> None:
    """Release a protect that never ends, then cancel it."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    trial.arm(Fault.STALL)
    operation = trial.running(Verb.PROTECT, resource)
    before = trial.holdings()
    over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED)
    answer = trial.process.backend.release(over)
    require(answer.state is ProgressState.RUNNING, f"a release of running work is {answer.state}")
    unchanged(trial, before, "a release of running work")
    trial.finish(trial.cancel(operation))
