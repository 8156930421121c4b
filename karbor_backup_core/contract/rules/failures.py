"""Rules about work that fails, and services that refuse."""

from collections.abc import Callable

import attrs

from karbor_backup_core.contract.bench import Fault
from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.contract.expectations import ended, require, said
from karbor_backup_core.contract.lives import restored_alike, unchanged
from karbor_backup_core.contract.needs import HOLDINGS, fault
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import CALLS_LIMIT, Trial
from karbor_backup_core.errors import BackendError, InvalidInput, KarborBackupError, Transient
from karbor_backup_core.model import (
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Result,
    State,
    Verb,
)

_MAKING = (Verb.PROTECT, Verb.RESTORE)
_GOING_ON = (ProgressState.RUNNING, ProgressState.READY)
_OVER = Outcome(Result.FAILED, reason="contract")


@rule(
    "C-601",
    "Work that fails is `failed` with a reason: data, not an exception.",
    "An exception is a broken call, which core repeats; failed work is not repeated.",
    fault(Fault.FAIL),
    mandatory=False,
)
def failure_is_data(trial: Trial) -> None:
    """Make a protect fail, and look at the answer itself."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    operation = trial.submitting(Verb.PROTECT, resource)
    trial.arm(Fault.FAIL)
    try:
        answer = _awaited(trial, operation)
    except KarborBackupError as error:
        raise Broken(f"work that failed raised {error!r}") from error
    require(answer.state is ProgressState.FAILED, f"work that failed is {answer.state}")
    require(answer.reason, "work that failed has no reason")


@rule(
    "C-602",
    "After work that failed, its release removes everything that it made, but for members whose "
    "parts say that they were restored.",
    "Half a backup costs as much as a whole one, and half a volume looks like one.",
    HOLDINGS,
    fault(Fault.FAIL),
    mandatory=False,
)
def failure_leaves_nothing(trial: Trial) -> None:
    """Make a protect and a restore of each type fail, and compare what there is."""
    for kind in trial.kinds(*_MAKING):
        resource = trial.make(kind)
        for verb in _MAKING:
            target = trial.target(verb, resource)
            before = trial.holdings()
            trial.arm(Fault.FAIL)
            operation = trial.done(verb, target)
            ended(operation, Result.FAILED)
            for part in operation.outcome.parts if operation.outcome else ():
                if part.restored is not None:
                    trial.bench.resources.remove(part.restored)
            unchanged(trial, before, f"a {verb} of {kind} that failed")


@rule(
    "C-603",
    "A restore that fails leaves the backup whole.",
    "It will be tried again.",
    fault(Fault.FAIL),
    mandatory=False,
)
def failed_restores_spare_the_backup(trial: Trial) -> None:
    """Make a restore fail, then restore."""
    backup = trial.backup(trial.make(trial.kind(*_MAKING)))
    trial.arm(Fault.FAIL)
    ended(trial.done(Verb.RESTORE, backup), Result.FAILED)
    restored_alike(trial, backup)


@rule(
    "C-604",
    "A request that is refused for now makes the hook raise `Transient` after one attempt.",
    "Only core repeats, after a time that is written down; a hook that repeats blocks a thread.",
    fault(Fault.BUSY),
    mandatory=False,
)
def busy_is_transient(trial: Trial) -> None:
    """Refuse the first request of each hook, and then let the operation succeed."""
    kind = trial.kind(*_MAKING)
    backup = trial.backup(trial.make(kind))
    for verb in trial.verbs(kind):
        operation = trial.submitting(verb, backup.resource if verb is Verb.PROTECT else backup)
        _refused_for_now(trial, verb, trial.process.backend.call, operation)
        operation = trial.process.driver.step(trial.restart(operation))
        if operation.state is State.RUNNING:
            _refused_for_now(trial, "poll", lambda it: trial.process.backend.poll([it]), operation)
            over = attrs.evolve(operation, state=State.RELEASING, outcome=_OVER)
            _refused_for_now(trial, "release", trial.process.backend.release, over)
        ended(trial.finish(operation), Result.SUCCEEDED)


@rule(
    "C-605",
    "A request that is refused for good makes the operation fail at once, and leaves nothing.",
    "A wrong password does not become right by being sent ten times.",
    HOLDINGS,
    fault(Fault.REFUSE),
    mandatory=False,
)
def refusals_are_final(trial: Trial) -> None:
    """Refuse the first request of each verb, and of a release."""
    kind = trial.kind(*_MAKING)
    backup = trial.backup(trial.make(kind))
    before = trial.holdings()
    for verb in trial.verbs(kind):
        operation = trial.submitting(verb, backup.resource if verb is Verb.PROTECT else backup)
        trial.arm(Fault.REFUSE)
        stored = trial.process.driver.step(operation)
        if _made_no_request(trial):
            trial.finish(stored)
            continue
        again = f"{verb} that was refused for good is to be repeated: {stored.last_error}"
        require(stored.outcome, again)
        ended(trial.finish(stored), Result.FAILED)
        unchanged(trial, before, f"a {verb} that was refused")
    over = attrs.evolve(operation, state=State.RELEASING, outcome=_OVER)
    trial.arm(Fault.REFUSE)
    try:
        trial.process.backend.release(over)
    except Transient as error:
        raise Broken(f"a release that was refused for good is to be repeated: {error}") from error
    except BackendError:
        return
    require(_made_no_request(trial), "a release succeeded although it was refused")


@rule(
    "C-606",
    "What could not be removed is named in `leftovers`.",
    "Somebody has to find it, and pays for it until then.",
    HOLDINGS,
    fault(Fault.STUCK),
    mandatory=False,
)
def what_is_left_is_named(trial: Trial) -> None:
    """Make a protect fail whose remains cannot be removed."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    before = trial.holdings()
    trial.arm(Fault.STUCK)
    operation = trial.done(Verb.PROTECT, resource)
    outcome = operation.outcome
    require(outcome and outcome.result is Result.FAILED, f"{said(operation)}, not failed")
    left = trial.holdings().data - before.data
    named = " ".join(leftover.id for leftover in outcome.leftovers) if outcome else ""
    require(left, "nothing is left, although nothing could be removed")
    require(named, f"left and not named: {', '.join(sorted(left))}")


@rule(
    "C-607",
    "Work that the service has forgotten fails, and what it made is removed.",
    "Services lose their memory in restarts; an operation must not wait for ever.",
    HOLDINGS,
    fault(Fault.FORGET),
    mandatory=False,
)
def forgotten_work_fails(trial: Trial) -> None:
    """Let the service forget a protect that is running."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    before = trial.holdings()
    operation = trial.running(Verb.PROTECT, resource)
    trial.arm(Fault.FORGET)
    for _ in range(CALLS_LIMIT):
        if operation.state is not State.RUNNING or operation.cancel_sent:
            break
        operation = trial.advance(operation)
    ended(trial.finish(operation), Result.FAILED)
    unchanged(trial, before, "work that was forgotten")


def _awaited(trial: Trial, operation: Operation) -> Progress:
    """Answer how the work ends, as the hooks say it."""
    answer = trial.process.backend.call(operation)
    for _ in range(CALLS_LIMIT):
        if answer.state not in _GOING_ON:
            break
        if answer.state is ProgressState.READY:
            operation = trial.next_phase(operation)
            answer = trial.process.backend.call(operation)
        else:
            trial.wait()
            answer = trial.process.backend.poll([operation])[operation.id]
    return answer


def _refused_for_now(
    trial: Trial, hook: str, call: Callable[[Operation], object], operation: Operation
) -> None:
    """Let the first request of a hook be refused; a hook that makes none may answer."""
    trial.arm(Fault.BUSY)
    try:
        call(operation)
    except Transient:
        return
    except (BackendError, InvalidInput) as error:
        raise Broken(f"{hook} calls it final that the service is busy: {error!r}") from error
    silent = _made_no_request(trial)
    require(silent, f"{hook} answered although the service was busy: one attempt is to be made")


def _made_no_request(trial: Trial) -> bool:
    """Say whether a fault has met no request yet; if so it meets a check now."""
    silent = bool(trial.bench.unfired is not None and trial.bench.unfired())
    if silent:
        trial.process.backend.health()
    return silent
