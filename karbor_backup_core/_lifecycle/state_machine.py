"""What comes next for an operation: pure, without calls, threads or sleeping.

``next_call`` says what has to be done now, and ``apply`` what the operation becomes with the
answer. Whoever drives an operation (``karbor_backup_core._execution.driver`` is one) stores what
``apply`` returns before it asks ``next_call`` again::

    planned -> submitting -> running <-> submitting ... -> ended -> releasing -> released
"""

import enum
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import attrs

from karbor_backup_core._errors import (
    Busy,
    InvalidInput,
    KarborBackupError,
    ResourceBusy,
    Transient,
)
from karbor_backup_core._lifecycle.changes import (
    evolve_retry,
    is_cancel_due,
    is_stopping,
    record_progress,
    reset_retry,
    set_back,
    start_next_phase,
    suspend,
)
from karbor_backup_core._lifecycle.outcomes import (
    add_leftovers,
    build_outcome,
    build_stop_outcome,
    build_stranded_outcome,
)
from karbor_backup_core._lifecycle.policy import Policy
from karbor_backup_core._lifecycle.retry_delays import RANDOM_JITTER, Jitter, exponential_delay
from karbor_backup_core._model import (
    Lease,
    Operation,
    Outcome,
    Place,
    Progress,
    ProgressState,
    Result,
    Retry,
    State,
)


class Call(enum.Enum):
    """What has to be done next for an operation."""

    ADVANCE = "advance"
    """No work: ask where it will be, and store the operation before the first call."""
    VERB = "verb"
    POLL = "poll"
    CANCEL = "cancel"
    RELEASE = "release"
    WAIT = "wait"
    """Nothing before ``operation.retry.not_before``."""
    NOTHING = "nothing"
    """It is released, or suspended until somebody resumes it."""


_CANCEL_ATTEMPTS: Final = 3
_MOVED_INSTANTS: Final = ("cancel_retry_at", "deadline", "grace_until", "submitted_at")
"""Attributes that are set back with the clock, beside those of ``Retry``."""

HookResult: TypeAlias = Progress | KarborBackupError | Place | bool | None
"""What a call brought: progress, what it raised, whether a cancel was taken, or a place or none."""


def next_call(operation: Operation, now: datetime) -> Call:
    """Return what has to be done now for an operation."""
    if operation.finished:
        return Call.NOTHING
    if operation.retry.not_before is not None and now < operation.retry.not_before:
        return Call.WAIT
    match operation.state:
        case State.SUBMITTING:
            return Call.POLL if is_stopping(operation, now) else Call.VERB
        case State.RUNNING:
            return Call.CANCEL if is_cancel_due(operation, now) else Call.POLL
        case State.ENDED:
            return Call.POLL
        case State.RELEASING:
            return Call.POLL if operation.awaiting else Call.RELEASE
        case _:
            return Call.ADVANCE


@attrs.frozen
class Lifecycle:
    """The rules of an operation's life under one policy.

    Attributes:
        policy: how patient it is.
        jitter: returns the seconds before a repeat, between the shortest and the longest.
    """

    policy: Policy = attrs.field(factory=Policy)
    jitter: Jitter = RANDOM_JITTER

    def apply(
        self, operation: Operation, call: Call, answer: HookResult, now: datetime
    ) -> Operation:
        """Return what an operation becomes when that call brought that answer.

        The same object comes back when nothing has to be stored.
        """
        match call:
            case Call.ADVANCE if isinstance(answer, KarborBackupError):
                return self._on_no_place(operation, answer, now)
            case Call.ADVANCE if isinstance(answer, Place | None):
                return self._advance(operation, answer, now)
            case Call.CANCEL:
                return self._on_cancel_result(operation, answer, now)
            case Call.VERB if isinstance(answer, Progress):
                return self._on_started(operation, answer, now)
            case Call.VERB if isinstance(answer, KarborBackupError):
                return self._on_start_failed(operation, answer, now)
            case Call.POLL if isinstance(answer, Progress):
                return self._on_progress(operation, answer, now)
            case Call.POLL if isinstance(answer, KarborBackupError):
                return self._on_poll_error(operation, answer, now)
            case Call.RELEASE if isinstance(answer, Progress):
                return self._on_release_progress(operation, answer, now)
            case Call.RELEASE if isinstance(answer, KarborBackupError):
                return self._on_release_failed(operation, answer, now)
            case _:
                raise TypeError(f"{answer!r} is no answer to the call {call}")

    def retry_delay(self, failures: int) -> timedelta:
        """How long to wait before a call that failed that many times in a row is repeated."""
        return self._delay(self.policy.retry_first, self.policy.retry_limit, failures)

    def refusal_delay(self, refusals: int) -> timedelta:
        """Return the wait before the next poll after that many refusals in a row."""
        return self._delay(self.policy.refusal_first, self.policy.refusal_limit, refusals)

    def next_limit(self, operation: Operation, now: datetime) -> datetime:
        """Return the instant of the next of our own limits, beyond which no delay may reach.

        It is the deadline until that has passed or a cancel was asked for, and the end of the
        grace, or of the release, from then on. It may lie in the past.
        """
        if operation.outcome is None and not is_stopping(operation, now):
            return operation.deadline
        return operation.grace_until or operation.deadline + self.policy.grace

    def store_retry_delay(self, failures: int) -> timedelta:
        """Return how long to wait before a store is tried again that failed so often in a row.

        The waits are shorter than a lease, so that several fit into it.
        """
        limit = min(self.policy.retry_limit, self.policy.lease / 6)
        return self._delay(self.policy.retry_first, limit, failures)

    def _delay(self, first: timedelta, limit: timedelta, times: int) -> timedelta:
        return exponential_delay(first, limit, times, self.jitter)

    def take_over(self, operation: Operation, owner: str, now: datetime) -> Operation:
        """Put an operation under a new owner, who cannot know which calls the last one made."""
        doubt = operation.state is State.SUBMITTING
        return attrs.evolve(
            operation,
            lease=Lease(owner, now + self.policy.lease),
            fence=operation.fence + 1,
            attempt=operation.attempt + int(doubt),
        )

    def adjust_for_clock_step(self, operation: Operation, now: datetime) -> Operation:
        """Move the instants that an operation waits for, where they cannot be right.

        What lies in the past by the operation's own account cannot lie ahead: the clock has been
        set back, and by so much its deadline and its waits would come too late. And no wait is
        longer than the longest that the policy allows, whoever has written it.
        """
        moved = self._moved_back(operation, now)
        policy = self.policy
        longest = max(policy.retry_limit, policy.retry_after_limit, policy.unknown_gap)
        latest = self._cap_at_limit(moved, longest, now)
        if moved.retry.not_before is None or moved.retry.not_before <= latest:
            return moved
        return evolve_retry(moved, not_before=latest)

    def _moved_back(self, operation: Operation, now: datetime) -> Operation:
        past = (operation.created_at, operation.submitted_at, operation.ended_at)
        behind = max(instant for instant in past if instant is not None) - now
        if behind <= timedelta():
            return operation
        retry = set_back(operation.retry, ("not_before", "unknown_since"), behind)
        return attrs.evolve(set_back(operation, _MOVED_INSTANTS, behind), retry=retry)

    def request_cancel(self, operation: Operation) -> Operation:
        """Ask for an operation to be cancelled; one that has its outcome stays as it is."""
        if operation.outcome is not None or operation.cancel_requested:
            return operation
        return attrs.evolve(evolve_retry(operation, not_before=None), cancel_requested=True)

    def resume(self, operation: Operation, now: datetime) -> Operation:
        """Make a suspended operation go on, with its grace anew; any other stays as it is."""
        if not operation.suspended:
            return operation
        grace = self.policy.release if operation.state is State.RELEASING else self.policy.grace
        return attrs.evolve(reset_retry(operation), suspended=False, grace_until=now + grace)

    def abandon(self, operation: Operation, now: datetime) -> Operation:
        """Give an operation up for good; what it left is, or stays, named in its outcome."""
        if operation.outcome is None:
            operation = self._set_outcome(operation, build_stranded_outcome(operation), now)
        return attrs.evolve(
            operation, state=State.RELEASED, suspended=False, awaiting=False, lease=None
        )

    def wait_for_other(
        self, operation: Operation, busy: Busy, now: datetime, *, driven: bool = True
    ) -> Operation:
        """Let an operation wait that could not begin, because another one has what it needs.

        Args:
            operation: the one that waits.
            busy: what it needs, and who has it.
            now: the present instant.
            driven: whether a process drives the other one, as far as can be seen.
        """
        failures = operation.retry.failures + 1
        remedy = (
            ""
            if driven
            else "; no process drives that one now: "
            f"karbor-backup resume {busy.holder} goes on with it"
        )
        return evolve_retry(
            operation,
            failures=failures,
            not_before=self._cap_at_limit(operation, self.retry_delay(failures), now),
            queued=False,
            lock_pending=isinstance(busy, ResourceBusy),
            last_error=f"{_describe_wait(busy)}{remedy}",
        )

    def give_up_turn(self, operation: Operation) -> Operation:
        """Let an operation that waits for shared resources keep nobody else from them."""
        return evolve_retry(operation, lock_pending=False)

    def queue(self, operation: Operation, limit: int) -> Operation:
        """Note that an operation waits, because as many are under way as its backend allows."""
        reason = f"backend {operation.backend} works on {limit} at once, and others came before"
        retry = Retry(reason, queued=True, lock_pending=operation.retry.lock_pending)
        return operation if operation.retry == retry else attrs.evolve(operation, retry=retry)

    def refuse(self, operation: Operation, busy: Busy, now: datetime) -> Operation:
        """End an operation that could not begin, because a suspended one has what it needs."""
        reason = (
            f"{busy.what} is held by operation {busy.holder}, which is suspended: go on with that "
            f"one (karbor-backup resume {busy.holder}) or give it up (karbor-backup abandon "
            f"{busy.holder}), then repeat this"
        )
        refusal = Outcome(Result.FAILED, reason=reason, refused=True)
        return self._set_outcome(operation, refusal, now, state=State.RELEASED)

    def _advance(self, operation: Operation, place: Place | None, now: datetime) -> Operation:
        if is_stopping(operation, now):
            return self._finish_stopped(operation, now)
        return attrs.evolve(start_next_phase(operation, now), place=place)

    def _on_no_place(
        self, operation: Operation, error: KarborBackupError, now: datetime
    ) -> Operation:
        """End an operation that cannot be begun here, unless that may pass before its deadline."""
        if is_stopping(operation, now):
            return self._finish_stopped(operation, now)
        if isinstance(error, Transient):
            return self._postpone(operation, error, now)
        refusal = Outcome(Result.FAILED, reason=str(error), refused=True)
        return self._set_outcome(operation, refusal, now, state=State.RELEASED)

    def _on_cancel_result(
        self, operation: Operation, answer: HookResult, now: datetime
    ) -> Operation:
        """Note a cancel; one that failed is repeated until the work ends or the grace is over.

        The first attempts follow one another. From then on polls go on between them, since the work
        may end meanwhile.
        """
        if not isinstance(answer, KarborBackupError):
            return attrs.evolve(reset_retry(operation), cancel_sent=True, cancel_retry_at=None)
        if isinstance(answer, Transient):
            if not operation.cancel_sent and operation.retry.failures < _CANCEL_ATTEMPTS:
                return self._postpone(operation, answer, now)
            delay = self.policy.retry_limit
        else:
            # Credentials may be refused for a moment only, as while a password is changed.
            delay = self.policy.refusal_first
        return attrs.evolve(
            operation,
            cancel_sent=True,
            cancel_retry_at=now + delay,
            retry=Retry(str(answer)),
        )

    def _on_started(self, operation: Operation, progress: Progress, now: datetime) -> Operation:
        noted = record_progress(operation, progress, take_receipt=True)
        match progress.state:
            case ProgressState.RUNNING | ProgressState.QUEUED:
                return attrs.evolve(noted, state=State.RUNNING)
            case ProgressState.READY:
                return self._start_next_phase_or_stop(noted, now)
            case _:
                return self._finish(noted, progress, now)

    def _on_start_failed(
        self, operation: Operation, error: KarborBackupError, now: datetime
    ) -> Operation:
        failed = self._postpone(operation, error, now)
        if isinstance(error, Transient) and failed.retry.failures < self.policy.attempts:
            # What is to stop is not begun again: the poll that comes next need not wait.
            until = None if is_stopping(operation, now) else failed.retry.not_before
            again = evolve_retry(failed, not_before=until)
            return attrs.evolve(again, attempt=operation.attempt + 1)
        # Later phases and attempts follow calls that may have started something to release.
        if isinstance(error, InvalidInput) and operation.phase == operation.attempt == 1:
            refusal = Outcome(Result.FAILED, reason=str(error), refused=True)
            return self._set_outcome(operation, refusal, now, state=State.RELEASED)
        return self._set_outcome(operation, Outcome(Result.FAILED, reason=str(error)), now)

    def _on_progress(self, operation: Operation, progress: Progress, now: datetime) -> Operation:
        if progress.state is ProgressState.UNKNOWN:
            return self._on_unknown(operation, now)
        noted = record_progress(operation, progress, take_receipt=False)
        if operation.outcome is not None:
            return self._on_progress_after_outcome(noted, progress, now)
        match progress.state:
            case state if state.active and self._is_grace_over(operation, now):
                return self._on_grace_expired(noted, progress, now)
            case state if state.active:
                found = noted.state is State.RUNNING
                return noted if found else attrs.evolve(noted, state=State.RUNNING)
            case ProgressState.READY:
                return self._start_next_phase_or_stop(noted, now)
            case _:
                return self._finish(noted, progress, now)

    def _on_progress_after_outcome(
        self, operation: Operation, progress: Progress, now: datetime
    ) -> Operation:
        if not progress.state.active:
            return self._on_work_finished(operation, now)
        if self._is_grace_over(operation, now):
            return suspend(operation, progress.leftovers)
        return operation

    def _on_poll_error(
        self, operation: Operation, error: KarborBackupError, now: datetime
    ) -> Operation:
        """Note why a poll brought nothing; until the grace is over that changes nothing else."""
        if operation.retry.last_error != str(error):
            operation = evolve_retry(operation, last_error=str(error))
        if not self._is_grace_over(operation, now):
            return operation
        if operation.outcome is not None:
            return suspend(operation, ())
        # A service that cannot be asked has not said that the work ended: it may still run.
        return self._on_grace_expired(operation, Progress(ProgressState.RUNNING), now)

    def _on_unknown(self, operation: Operation, now: datetime) -> Operation:
        # A clock that was set back may have left it ahead.
        first = min(operation.retry.unknown_since or now, now)
        # Pages of a listing shift while others delete entries: one look that misses is no proof.
        if now < first + self.policy.unknown_gap:
            until = self._cap_at_limit(operation, first + self.policy.unknown_gap - now, now)
            return evolve_retry(operation, unknown_since=first, not_before=until)
        if operation.outcome is not None:
            return self._on_work_finished(operation, now)
        if operation.state is State.SUBMITTING:
            return self._finish_stopped(operation, now)
        lost = Outcome(Result.FAILED, reason="the service no longer knows of this work")
        return self._set_outcome(operation, lost, now)

    def _on_release_progress(
        self, operation: Operation, progress: Progress, now: datetime
    ) -> Operation:
        noted = record_progress(operation, progress, take_receipt=True)
        match progress.state:
            case ProgressState.SUCCEEDED:
                done = add_leftovers(noted, progress.leftovers, replace=True)
                return attrs.evolve(done, state=State.RELEASED, lease=None)
            case ProgressState.RUNNING | ProgressState.QUEUED:
                return attrs.evolve(noted, awaiting=True, submitted_at=now)
            case ProgressState.READY if not self._is_grace_over(operation, now):
                return noted
            case _:
                failed = attrs.evolve(noted, retry=Retry(progress.reason))
                return suspend(failed, progress.leftovers)

    def _on_release_failed(
        self, operation: Operation, error: KarborBackupError, now: datetime
    ) -> Operation:
        failed = self._postpone(operation, error, now)
        if isinstance(error, Transient) and not self._is_grace_over(operation, now):
            return failed
        return suspend(failed, ())

    def _start_next_phase_or_stop(self, operation: Operation, now: datetime) -> Operation:
        if is_stopping(operation, now):
            return self._finish_stopped(operation, now)
        return start_next_phase(operation, now)

    def _postpone(self, operation: Operation, error: KarborBackupError, now: datetime) -> Operation:
        failures = operation.retry.failures + 1
        delay = self.retry_delay(failures)
        if isinstance(error, Transient) and error.retry_after is not None:
            delay = max(delay, self._requested_delay(operation, error.retry_after, now))
        until = self._cap_at_limit(operation, delay, now)
        return evolve_retry(
            operation, failures=failures, not_before=until, queued=False, last_error=str(error)
        )

    def _requested_delay(self, operation: Operation, seconds: float, now: datetime) -> timedelta:
        """Return how much of a delay that a service asks for is kept.

        What is to stop waits no longer for the service's sake than for ours.
        """
        stopping = is_stopping(operation, now)
        limit = self.policy.retry_limit if stopping else self.policy.retry_after_limit
        # Compared in seconds: a timedelta holds less than a service may ask for.
        return timedelta(seconds=min(seconds, limit.total_seconds()))

    def _cap_at_limit(self, operation: Operation, delay: timedelta, now: datetime) -> datetime:
        """Return the instant after a delay, or that of the next of our own limits before it."""
        limit = self.next_limit(operation, now)
        return min(now + delay, limit) if limit > now else now + delay

    def _finish_stopped(self, operation: Operation, now: datetime) -> Operation:
        """End an operation of which no work goes on outside, because it was to stop."""
        return self._set_outcome(operation, build_stop_outcome(operation), now)

    def _on_grace_expired(
        self, operation: Operation, progress: Progress, now: datetime
    ) -> Operation:
        """End an operation whose work outside may go on: it stays unreleased until it ended."""
        closed = self._set_outcome(operation, build_stop_outcome(operation), now, state=State.ENDED)
        return suspend(attrs.evolve(closed, awaiting=True), progress.leftovers)

    def _finish(self, operation: Operation, progress: Progress, now: datetime) -> Operation:
        return self._set_outcome(operation, build_outcome(operation, progress, now), now)

    def _set_outcome(
        self,
        operation: Operation,
        outcome: Outcome,
        now: datetime,
        state: State = State.RELEASING,
    ) -> Operation:
        """Give an operation its outcome; one that never began has nothing to release."""
        over = state is State.RELEASED or not operation.phase
        awaits = state is State.ENDED
        return attrs.evolve(
            reset_retry(operation),
            state=State.RELEASED if over else state,
            outcome=outcome,
            ended_at=now,
            grace_until=now + (self.policy.grace if awaits else self.policy.release),
            lease=None if over else operation.lease,
        )

    def _on_work_finished(self, operation: Operation, now: datetime) -> Operation:
        """Go on with the release of an operation whose work outside has ended at last."""
        release_began = operation.state is State.RELEASING
        return attrs.evolve(
            reset_retry(operation),
            state=State.RELEASING,
            awaiting=False,
            grace_until=operation.grace_until if release_began else now + self.policy.release,
        )

    def _is_grace_over(self, operation: Operation, now: datetime) -> bool:
        return now >= (operation.grace_until or operation.deadline + self.policy.grace)


def _describe_wait(busy: Busy) -> str:
    """Return why an operation waits for another one, in one line."""
    if not isinstance(busy, ResourceBusy):
        return f"operation {busy.holder} works on the same backup"
    if busy.pending:
        return f"operation {busy.holder} waits for {busy.what} and came before: this one follows"
    return f"operation {busy.holder} works on {busy.what}: this one begins when it has ended"
