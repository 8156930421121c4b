"""The life of an operation, one answer after the other, and under any sequence of answers."""

import operator
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import (
    Amount,
    BackendError,
    Backup,
    BackupBusy,
    Call,
    InvalidInput,
    KarborBackupError,
    Leftover,
    Lifecycle,
    Member,
    Operation,
    Part,
    Policy,
    Progress,
    ProgressState,
    Resource,
    Result,
    Retry,
    State,
    Transient,
    Verb,
    next_call,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VOLUME = Resource("OS::Cinder::Volume", "v1", "data")
BACKUP = Backup(
    id="b1",
    resource=VOLUME,
    backend="fake",
    scope="here",
    handle={"format": 1},
    storage="disk",
    created_at=NOW,
)
POLICY = Policy(unknown_gap=timedelta(seconds=5), attempts=3)
LIFECYCLE = Lifecycle(POLICY, max)

RUNNING = Progress(ProgressState.RUNNING)
QUEUED = Progress(ProgressState.QUEUED, reason="others came before")
READY = Progress(ProgressState.READY)
UNKNOWN = Progress(ProgressState.UNKNOWN)
PROTECTED = Progress(ProgressState.SUCCEEDED, handle={"format": 1}, storage="disk")
DONE = Progress(ProgressState.SUCCEEDED)


def instant_after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def planned_operation(verb: Verb = Verb.PROTECT, **changes: object) -> Operation:
    operation = Operation(
        id="o1",
        verb=verb,
        backend="here",
        implementation="fake",
        scope="here",
        resource=VOLUME,
        backup=None if verb is Verb.PROTECT else BACKUP,
        options={"backup_name": "nightly"},
        created_at=NOW,
        deadline=instant_after(3600),
    )
    return attrs.evolve(operation, **changes)


def submitting_operation(verb: Verb = Verb.PROTECT) -> Operation:
    return LIFECYCLE.apply(planned_operation(verb), Call.ADVANCE, None, NOW)


def running_operation(verb: Verb = Verb.PROTECT) -> Operation:
    return LIFECYCLE.apply(submitting_operation(verb), Call.VERB, RUNNING, NOW)


def ended_operation(answer: Progress = PROTECTED, verb: Verb = Verb.PROTECT) -> Operation:
    return LIFECYCLE.apply(running_operation(verb), Call.POLL, answer, instant_after(60))


def releasing_operation() -> Operation:
    return ended_operation()


def test_a_phase_is_counted_before_its_verb_is_called() -> None:
    operation = submitting_operation()
    assert (operation.state, operation.phase, operation.attempt) == (State.SUBMITTING, 1, 1)
    assert next_call(operation, NOW) is Call.VERB


def test_a_protect_goes_from_plan_to_release_and_leaves_its_backup() -> None:
    operation = ended_operation()
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED
    backup = operation.outcome.backup
    assert backup is not None
    assert (backup.id, backup.backend, backup.scope) == ("o1", "fake", "here")
    assert (backup.storage, backup.created_at) == ("disk", instant_after(60))
    assert next_call(operation, instant_after(60)) is Call.RELEASE
    operation = LIFECYCLE.apply(operation, Call.RELEASE, DONE, instant_after(61))
    assert operation.state is State.RELEASED
    assert next_call(operation, instant_after(61)) is Call.NOTHING


def test_members_of_a_backup_are_backups_of_their_own() -> None:
    server = Resource("OS::Nova::Server", "s1")
    answer = attrs.evolve(PROTECTED, members=(Member(server, {"part": 1}),))
    outcome = ended_operation(answer).outcome
    assert outcome is not None
    assert outcome.backup is not None
    (member,) = outcome.backup.members
    assert (member.id, member.resource, member.handle) == ("o1/s1", server, {"part": 1})
    assert member.scope == "here"


def test_a_ready_phase_is_followed_by_the_next_with_the_stored_receipt() -> None:
    noted = attrs.evolve(RUNNING, receipt={"job": 1})
    operation = LIFECYCLE.apply(submitting_operation(), Call.VERB, noted, NOW)
    operation = LIFECYCLE.apply(operation, Call.POLL, READY, instant_after(5))
    assert (operation.state, operation.phase, operation.attempt) == (State.SUBMITTING, 2, 1)
    assert operation.receipt == {"job": 1}


def test_a_poll_cannot_change_the_receipt() -> None:
    operation = LIFECYCLE.apply(
        running_operation(), Call.POLL, attrs.evolve(RUNNING, receipt={"x": 1}), NOW
    )
    assert operation.receipt is None


@pytest.mark.parametrize("call", [Call.VERB, Call.POLL])
def test_queued_work_is_polled_for_until_it_runs(call: Call) -> None:
    operation = LIFECYCLE.apply(submitting_operation(), call, QUEUED, NOW)
    assert operation.state is State.RUNNING
    assert (operation.queued, operation.retry.last_error) == (True, "others came before")
    assert next_call(operation, NOW) is Call.POLL
    begun = LIFECYCLE.apply(operation, Call.POLL, RUNNING, instant_after(5))
    assert (begun.state, begun.queued, begun.retry) == (State.RUNNING, False, Retry())


def test_the_deadline_of_queued_work_cancels_it() -> None:
    operation = LIFECYCLE.apply(submitting_operation(), Call.VERB, QUEUED, NOW)
    late = operation.deadline + POLICY.grace
    assert next_call(operation, late) is Call.CANCEL
    cancelled = LIFECYCLE.apply(operation, Call.CANCEL, False, late)
    ended = LIFECYCLE.apply(cancelled, Call.POLL, QUEUED, late)
    assert ended.suspended
    assert ended.awaiting


def test_work_of_a_release_that_is_queued_is_waited_for() -> None:
    releasing = LIFECYCLE.apply(ended_operation(), Call.RELEASE, QUEUED, instant_after(61))
    assert (releasing.state, releasing.awaiting) == (State.RELEASING, True)
    again = LIFECYCLE.apply(releasing, Call.POLL, QUEUED, instant_after(62))
    assert again.awaiting
    assert next_call(again, instant_after(62)) is Call.POLL


def test_what_waits_for_its_backup_is_not_queued_any_more() -> None:
    queued = LIFECYCLE.queue(planned_operation(), 2)
    assert queued.queued
    assert LIFECYCLE.queue(queued, 2) is queued
    assert not LIFECYCLE.wait_for_other(queued, BackupBusy("b", "o2"), NOW).queued


def test_a_poll_that_brings_nothing_new_has_nothing_to_store() -> None:
    operation = running_operation()
    assert LIFECYCLE.apply(operation, Call.POLL, RUNNING, instant_after(5)) is operation


def test_progress_is_noted() -> None:
    told = attrs.evolve(RUNNING, done=3, total=10, unit="bytes")
    operation = LIFECYCLE.apply(running_operation(), Call.POLL, told, instant_after(5))
    assert operation.amount == Amount(3, 10, "bytes")


def test_a_transient_failure_is_a_stored_wait_and_leaves_a_doubt() -> None:
    operation = LIFECYCLE.apply(submitting_operation(), Call.VERB, Transient("away"), NOW)
    assert operation.attempt == 2
    assert operation.retry.last_error == "away"
    assert next_call(operation, NOW) is Call.WAIT
    assert operation.retry.not_before is not None
    assert next_call(operation, operation.retry.not_before) is Call.VERB


def test_retry_after_of_the_service_prolongs_the_wait() -> None:
    operation = LIFECYCLE.apply(
        submitting_operation(), Call.VERB, Transient("busy", retry_after=90), NOW
    )
    assert operation.retry.not_before == instant_after(90)


def test_waits_double_up_to_their_limit() -> None:
    waits = [LIFECYCLE.retry_delay(n).total_seconds() for n in (1, 2, 3, 20)]
    assert waits == [1, 2, 4, 60]


def test_transient_failures_end_the_operation_when_there_were_too_many() -> None:
    operation = submitting_operation()
    for _ in range(POLICY.attempts):
        operation = LIFECYCLE.apply(operation, Call.VERB, Transient("away"), NOW)
    assert operation.outcome is not None
    assert (operation.outcome.result, operation.outcome.reason) == (Result.FAILED, "away")
    assert operation.state is State.RELEASING, "what may have been begun has to be released"


def test_a_final_error_of_a_verb_fails_the_operation() -> None:
    operation = LIFECYCLE.apply(
        submitting_operation(), Call.VERB, BackendError("422: no such client"), NOW
    )
    assert operation.outcome is not None
    assert operation.outcome.reason == "422: no such client"


def test_refusal_at_the_first_call_ends_without_a_release() -> None:
    operation = LIFECYCLE.apply(
        submitting_operation(), Call.VERB, InvalidInput("no such storage"), NOW
    )
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert operation.outcome.refused
    assert operation.outcome.reason == "no such storage"


def test_refusal_at_a_later_call_is_released() -> None:
    doubtful = LIFECYCLE.apply(submitting_operation(), Call.VERB, Transient("away"), NOW)
    operation = LIFECYCLE.apply(doubtful, Call.VERB, InvalidInput("no such storage"), NOW)
    assert operation.state is State.RELEASING
    assert operation.outcome is not None
    assert not operation.outcome.refused


def test_takeover_counts_a_new_attempt_while_submitting() -> None:
    assert LIFECYCLE.take_over(submitting_operation(), "other", NOW).attempt == 2
    assert LIFECYCLE.take_over(running_operation(), "other", NOW).attempt == 1


def test_a_cancel_before_the_beginning_ends_it_without_a_call() -> None:
    operation = LIFECYCLE.request_cancel(planned_operation())
    operation = LIFECYCLE.apply(operation, Call.ADVANCE, None, NOW)
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED


def test_a_cancel_while_submitting_asks_first_and_believes_only_two_answers_apart() -> None:
    operation = LIFECYCLE.request_cancel(submitting_operation())
    assert next_call(operation, NOW) is Call.POLL
    once = LIFECYCLE.apply(operation, Call.POLL, UNKNOWN, NOW)
    assert once.outcome is None
    assert next_call(once, instant_after(4.9)) is Call.WAIT
    too_soon = LIFECYCLE.apply(once, Call.POLL, UNKNOWN, instant_after(4.9))
    assert too_soon.outcome is None
    twice = LIFECYCLE.apply(once, Call.POLL, UNKNOWN, instant_after(5))
    assert twice.outcome is not None
    assert twice.outcome.result is Result.CANCELLED


def test_an_unknown_answer_is_forgotten_when_the_work_shows_again() -> None:
    once = LIFECYCLE.apply(running_operation(), Call.POLL, UNKNOWN, NOW)
    again = LIFECYCLE.apply(once, Call.POLL, RUNNING, instant_after(10))
    assert LIFECYCLE.apply(again, Call.POLL, UNKNOWN, instant_after(20)).outcome is None


def test_work_that_the_service_has_lost_has_failed() -> None:
    operation = LIFECYCLE.apply(running_operation(), Call.POLL, UNKNOWN, NOW)
    operation = LIFECYCLE.apply(operation, Call.POLL, UNKNOWN, instant_after(5))
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED
    assert "no longer knows" in operation.outcome.reason


def test_cancel_of_running_work_calls_the_backend_once() -> None:
    operation = LIFECYCLE.request_cancel(submitting_operation())
    operation = LIFECYCLE.apply(operation, Call.POLL, RUNNING, NOW)
    assert next_call(operation, NOW) is Call.CANCEL
    operation = LIFECYCLE.apply(operation, Call.CANCEL, False, NOW)
    assert next_call(operation, NOW) is Call.POLL


@pytest.mark.parametrize(
    ("error", "delay"),
    [(Transient("away"), POLICY.retry_limit), (BackendError("refused"), POLICY.refusal_first)],
)
def test_cancel_that_fails_again_and_again_is_repeated_between_polls(
    error: KarborBackupError, delay: timedelta
) -> None:
    operation = LIFECYCLE.request_cancel(running_operation())
    now = NOW
    while not operation.cancel_sent:
        now = operation.retry.not_before or NOW
        operation = LIFECYCLE.apply(operation, Call.CANCEL, error, now)
    for _ in range(10):
        assert operation.retry.last_error == str(error)
        assert next_call(operation, now) is Call.POLL
        operation = LIFECYCLE.apply(operation, Call.POLL, RUNNING, now)
        now += delay
        assert next_call(operation, now) is Call.CANCEL
        operation = LIFECYCLE.apply(operation, Call.CANCEL, error, now)


def test_cancel_that_cannot_be_delivered_is_repeated_at_once_at_first() -> None:
    operation = LIFECYCLE.request_cancel(running_operation())
    for _ in range(3):
        operation = LIFECYCLE.apply(operation, Call.CANCEL, Transient("away"), NOW)
        assert operation.retry.not_before is not None
        assert next_call(operation, operation.retry.not_before) is Call.CANCEL


@pytest.mark.parametrize("answer", [True, False])
def test_cancel_that_was_delivered_after_failures_is_not_repeated(*, answer: bool) -> None:
    operation = LIFECYCLE.request_cancel(running_operation())
    operation = LIFECYCLE.apply(operation, Call.CANCEL, BackendError("refused"), NOW)
    operation = LIFECYCLE.apply(operation, Call.CANCEL, answer, NOW + POLICY.refusal_first)
    assert next_call(operation, NOW + 100 * POLICY.refusal_first) is Call.POLL


def test_work_that_ends_before_a_failed_cancel_is_repeated_ends_the_operation() -> None:
    operation = LIFECYCLE.request_cancel(running_operation(Verb.DELETE))
    operation = LIFECYCLE.apply(operation, Call.CANCEL, BackendError("refused"), NOW)
    operation = LIFECYCLE.apply(operation, Call.POLL, DONE, NOW)
    assert operation.outcome is not None
    assert next_call(operation, NOW + 2 * POLICY.refusal_first) is not Call.CANCEL


def test_no_phase_follows_a_cancel() -> None:
    operation = LIFECYCLE.apply(
        LIFECYCLE.request_cancel(running_operation()), Call.POLL, READY, NOW
    )
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    assert operation.phase == 1


@pytest.mark.parametrize(
    ("verb", "result"),
    [
        (Verb.PROTECT, Result.CANCELLED),
        (Verb.RESTORE, Result.CANCELLED),
        (Verb.DELETE, Result.SUCCEEDED),
        (Verb.VERIFY, Result.SUCCEEDED),
    ],
)
def test_cancelled_work_that_finished_is_judged_by_its_verb(verb: Verb, result: Result) -> None:
    operation = LIFECYCLE.apply(
        LIFECYCLE.request_cancel(running_operation(verb)), Call.POLL, PROTECTED, NOW
    )
    assert operation.outcome is not None
    assert operation.outcome.result is result
    if verb is Verb.PROTECT:
        assert operation.outcome.backup is None


def test_a_failed_part_fails_the_whole() -> None:
    bad = Part(VOLUME, Result.FAILED, "disk full")
    outcome = ended_operation(attrs.evolve(PROTECTED, parts=(bad,))).outcome
    assert outcome is not None
    assert outcome.result is Result.FAILED
    assert outcome.backup is None
    assert outcome.parts == (bad,)


def test_a_deadline_cancels_then_waits_its_grace_then_names_what_may_go_on() -> None:
    late = running_operation().deadline
    assert next_call(running_operation(), late) is Call.CANCEL
    told = LIFECYCLE.apply(running_operation(), Call.CANCEL, True, late)
    assert LIFECYCLE.apply(told, Call.POLL, RUNNING, late) is told
    given_up = LIFECYCLE.apply(told, Call.POLL, RUNNING, late + POLICY.grace)
    assert given_up.state is State.ENDED
    assert given_up.suspended
    assert given_up.owner == ""
    assert given_up.outcome is not None
    assert given_up.outcome.result is Result.FAILED
    assert "deadline" in given_up.outcome.reason
    assert given_up.outcome.leftovers


def test_a_deadline_comes_also_when_the_service_is_silent() -> None:
    silent = LIFECYCLE.apply(
        running_operation(), Call.POLL, Transient("away"), running_operation().deadline
    )
    assert silent.outcome is None
    late = running_operation().deadline + POLICY.grace
    assert LIFECYCLE.apply(running_operation(), Call.POLL, Transient("away"), late).suspended


def test_work_finished_within_the_grace_period_succeeds() -> None:
    late = running_operation().deadline
    told = LIFECYCLE.apply(running_operation(), Call.CANCEL, True, late)
    operation = LIFECYCLE.apply(told, Call.POLL, PROTECTED, late)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED


def test_operation_cancelled_by_its_deadline_has_failed() -> None:
    late = running_operation().deadline
    told = LIFECYCLE.apply(running_operation(), Call.CANCEL, True, late)
    operation = LIFECYCLE.apply(told, Call.POLL, Progress(ProgressState.CANCELLED), late)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED


def test_a_suspended_operation_is_released_once_resumed_and_its_work_has_ended() -> None:
    late = running_operation().deadline + POLICY.grace
    suspended = LIFECYCLE.apply(running_operation(), Call.POLL, RUNNING, late)
    assert next_call(suspended, late) is Call.NOTHING
    resumed = LIFECYCLE.resume(suspended, instant_after(9999))
    assert next_call(resumed, instant_after(9999)) is Call.POLL
    going_on = LIFECYCLE.apply(resumed, Call.POLL, RUNNING, instant_after(9999))
    assert not going_on.suspended
    over = LIFECYCLE.apply(going_on, Call.POLL, PROTECTED, instant_after(10000))
    assert next_call(over, instant_after(10000)) is Call.RELEASE
    assert over.grace_until == instant_after(10000) + POLICY.release
    assert over.outcome is not None
    assert over.outcome.result is Result.FAILED, "an outcome is written once"


def test_a_release_may_take_work_of_its_own() -> None:
    operation = LIFECYCLE.apply(
        releasing_operation(), Call.RELEASE, attrs.evolve(RUNNING, receipt={"r": 1}), NOW
    )
    assert next_call(operation, NOW) is Call.POLL
    operation = LIFECYCLE.apply(operation, Call.POLL, READY, NOW)
    assert next_call(operation, NOW) is Call.RELEASE
    assert operation.receipt == {"r": 1}


@pytest.mark.parametrize(
    "answer", [BackendError("409"), Progress(ProgressState.FAILED, reason="disk on fire")]
)
def test_a_release_that_fails_changes_no_outcome_and_names_what_is_left(
    answer: Progress | BackendError,
) -> None:
    operation = LIFECYCLE.apply(releasing_operation(), Call.RELEASE, answer, NOW)
    assert operation.suspended
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED
    assert operation.outcome.leftovers


def test_a_release_goes_on_after_transient_failures_until_its_grace_is_over() -> None:
    operation = LIFECYCLE.apply(
        releasing_operation(), Call.RELEASE, Transient("away"), instant_after(61)
    )
    assert not operation.suspended
    assert next_call(operation, instant_after(61)) is Call.WAIT
    assert LIFECYCLE.apply(
        operation, Call.RELEASE, Transient("away"), instant_after(99999)
    ).suspended


def test_a_later_release_replaces_the_leftovers_that_an_earlier_one_named() -> None:
    suspended = LIFECYCLE.apply(releasing_operation(), Call.RELEASE, BackendError("409"), NOW)
    resumed = LIFECYCLE.resume(suspended, NOW)
    folder = Leftover("folder", "/b")
    operation = LIFECYCLE.apply(resumed, Call.RELEASE, attrs.evolve(DONE, leftovers=(folder,)), NOW)
    assert operation.outcome is not None
    assert operation.outcome.leftovers == (folder,)


def test_operation_blocked_by_another_waits_and_names_it() -> None:
    operation = LIFECYCLE.wait_for_other(
        planned_operation(Verb.RESTORE), BackupBusy("b", "o9"), NOW
    )
    assert operation.state is State.PLANNED
    assert next_call(operation, NOW) is Call.WAIT
    assert "o9" in operation.retry.last_error


def test_an_answer_that_does_not_fit_the_call_is_refused() -> None:
    with pytest.raises(TypeError, match="no answer"):
        LIFECYCLE.apply(submitting_operation(), Call.VERB, None, NOW)


@pytest.mark.parametrize("asked", [1801.0, 1e6, 1e300])
def test_delay_asked_for_by_a_service_ends_at_the_deadline(asked: float) -> None:
    now = instant_after(1800)
    operation = LIFECYCLE.apply(submitting_operation(), Call.VERB, Transient("busy", asked), now)
    assert operation.retry.not_before == operation.deadline
    assert next_call(operation, operation.deadline) is Call.POLL


def test_delay_asked_for_by_a_service_has_a_limit_of_its_own() -> None:
    operation = attrs.evolve(submitting_operation(), deadline=instant_after(86400))
    operation = LIFECYCLE.apply(operation, Call.VERB, Transient("busy", 80000), NOW)
    assert operation.retry.not_before == NOW + POLICY.retry_after_limit


def test_delay_during_the_release_ends_with_the_time_for_it() -> None:
    operation = releasing_operation()
    assert operation.grace_until is not None
    late = operation.grace_until - timedelta(seconds=10)
    operation = LIFECYCLE.apply(operation, Call.RELEASE, Transient("busy", 3600), late)
    assert operation.retry.not_before == operation.grace_until
    last = LIFECYCLE.apply(
        operation, Call.RELEASE, Transient("busy", 3600), operation.retry.not_before
    )
    assert last.suspended


def test_refused_cancel_is_repeated_by_our_own_delays() -> None:
    operation = LIFECYCLE.request_cancel(running_operation())
    operation = LIFECYCLE.apply(operation, Call.CANCEL, Transient("busy", 3600), instant_after(5))
    assert operation.retry.not_before == instant_after(5) + POLICY.retry_limit


def test_cancel_that_crosses_a_refused_begin_leaves_no_delay() -> None:
    operation = LIFECYCLE.request_cancel(submitting_operation())
    operation = LIFECYCLE.apply(operation, Call.VERB, Transient("busy", 3600), instant_after(5))
    assert next_call(operation, instant_after(5)) is Call.POLL


def test_release_after_failed_calls_waits_for_nothing() -> None:
    operation = LIFECYCLE.apply(submitting_operation(), Call.VERB, Transient("busy", 90), NOW)
    assert operation.retry.failures == 1
    operation = LIFECYCLE.apply(operation, Call.VERB, BackendError("refused"), instant_after(90))
    assert operation.state is State.RELEASING
    assert operation.retry == Retry("busy")
    assert next_call(operation, instant_after(90)) is Call.RELEASE


def test_wait_for_a_held_backup_ends_at_the_deadline() -> None:
    operation = attrs.evolve(
        planned_operation(Verb.DELETE), retry=Retry(failures=10), deadline=instant_after(20)
    )
    assert LIFECYCLE.wait_for_other(
        operation, BackupBusy("b", "o2"), NOW
    ).retry.not_before == instant_after(20)


def test_reason_of_a_failed_poll_is_kept_until_one_succeeds() -> None:
    operation = LIFECYCLE.apply(
        running_operation(), Call.POLL, BackendError("refused"), instant_after(5)
    )
    assert operation.retry.last_error == "refused"
    assert (
        LIFECYCLE.apply(operation, Call.POLL, BackendError("refused"), instant_after(9))
        is operation
    )
    assert LIFECYCLE.apply(operation, Call.POLL, RUNNING, instant_after(60)).retry.last_error == ""


def test_reason_of_failed_polls_is_in_the_outcome_when_time_is_up() -> None:
    operation = LIFECYCLE.apply(
        running_operation(), Call.POLL, BackendError("refused"), instant_after(5)
    )
    late = operation.deadline + POLICY.grace
    operation = LIFECYCLE.apply(operation, Call.POLL, BackendError("refused"), late)
    assert operation.outcome is not None
    assert operation.outcome.reason.endswith("what came last: refused")


def test_reason_of_running_work_is_stored() -> None:
    waits = attrs.evolve(RUNNING, reason="nobody has taken it up since 12:00 UTC")
    operation = LIFECYCLE.apply(running_operation(), Call.POLL, waits, instant_after(5))
    assert operation.retry.last_error == "nobody has taken it up since 12:00 UTC"
    assert LIFECYCLE.apply(operation, Call.POLL, waits, instant_after(9)) is operation
    assert LIFECYCLE.apply(operation, Call.POLL, RUNNING, instant_after(60)).retry.last_error == ""


def test_refused_polls_come_further_apart_than_failed_ones() -> None:
    delays = [LIFECYCLE.refusal_delay(times).total_seconds() for times in (1, 2, 3, 5, 50)]
    assert delays == [60, 120, 240, 900, 900]


ANSWERS = st.one_of(
    st.sampled_from([RUNNING, READY, PROTECTED, UNKNOWN]),
    st.sampled_from(
        [Progress(ProgressState.FAILED, reason="no"), Progress(ProgressState.CANCELLED)]
    ),
    st.sampled_from(
        [Transient("away"), Transient("busy", 30), Transient("busy", 1e300), BackendError("no")]
    ),
)


def _allowed_answer(call: Call, answer: object) -> object:
    if call is Call.ADVANCE:
        return None
    if call is Call.CANCEL:
        return answer if isinstance(answer, BackendError) else True
    if call in (Call.VERB, Call.RELEASE) and answer is UNKNOWN:
        return RUNNING
    return answer


@given(
    verb=st.sampled_from(Verb),
    script=st.lists(st.tuples(ANSWERS, st.integers(0, 900), st.booleans()), max_size=60),
)
def test_invariants_hold_for_any_sequence_of_results(
    verb: Verb, script: list[tuple[object, int, bool]]
) -> None:
    operation, now = planned_operation(verb), NOW
    for answer, seconds, cancel in script:
        now += timedelta(seconds=seconds)
        before = LIFECYCLE.request_cancel(operation) if cancel else operation
        call = next_call(before, now)
        if call in (Call.WAIT, Call.NOTHING):
            operation = before
            continue
        operation = LIFECYCLE.apply(before, call, _allowed_answer(call, answer), now)
        _check_rules(before, operation, call, now)


def _check_rules(before: Operation, after: Operation, call: Call, now: datetime) -> None:
    stopping = before.cancel_requested or now >= before.deadline
    assert not (call is Call.VERB and stopping), "no work is begun for one that is to stop"
    assert after.phase - before.phase in (0, 1)
    if after.phase > before.phase:
        assert (after.state, after.attempt) == (State.SUBMITTING, 1)
        assert not stopping
    if before.outcome is not None:
        assert after.outcome is not None
        assert after.outcome.result is before.outcome.result
        assert after.outcome.backup == before.outcome.backup
    if before.outcome is None and after.outcome is not None:
        assert after.state in (State.ENDED, State.RELEASING, State.RELEASED)
    assert after.awaiting or after.state is not State.ENDED
    if after.finished:
        assert after.lease is None, "nobody drives it any more"
    if after.state is State.RELEASED:
        assert after.outcome is not None
    if after.suspended:
        assert after.outcome is not None
        assert after.outcome.leftovers
    if after.retry.not_before is not None and not after.finished:
        limit = LIFECYCLE.next_limit(after, now)
        assert after.retry.not_before <= max(limit, now + POLICY.retry_limit), (
            "a limit of ours wins"
        )
    if call is Call.RELEASE:
        assert before.state is State.RELEASING


_INSTANTS = (
    "cancel_retry_at",
    "deadline",
    "retry.not_before",
    "retry.unknown_since",
    "submitted_at",
)


def test_operation_begun_in_the_future_waits_no_longer_than_it_would_have() -> None:
    """The clock was set back by a day in between."""
    begun = attrs.evolve(
        running_operation(),
        cancel_retry_at=instant_after(40),
        retry=Retry(not_before=instant_after(30), unknown_since=instant_after(10)),
    )
    now = NOW - timedelta(days=1)
    adjusted = LIFECYCLE.adjust_for_clock_step(begun, now)
    for name in _INSTANTS:
        read = operator.attrgetter(name)
        assert read(adjusted) == read(begun) - timedelta(days=1), name
    assert adjusted.created_at == begun.created_at
    assert next_call(adjusted, now + timedelta(seconds=30)) is Call.POLL


def test_grace_of_an_operation_that_ended_in_the_future_is_moved_with_it() -> None:
    ended_later = attrs.evolve(ended_operation(), grace_until=instant_after(360))
    adjusted = LIFECYCLE.adjust_for_clock_step(ended_later, NOW - timedelta(days=1))
    assert ended_later.ended_at == instant_after(60)
    assert adjusted.grace_until == instant_after(300) - timedelta(days=1)


@pytest.mark.parametrize("later", [timedelta(), timedelta(seconds=1), timedelta(days=2)])
def test_operation_begun_in_the_past_keeps_its_instants(later: timedelta) -> None:
    assert LIFECYCLE.adjust_for_clock_step(running_operation(), NOW + later) == running_operation()
