"""When the next poll comes, by how long work has been taking."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import Operation, Policy, Resource, State, Verb
from karbor_backup_core._execution.poll_interval import PollInterval

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(poll_first=timedelta(seconds=1), poll_limit=timedelta(seconds=30))


def operation_of_age(seconds: float, verb: Verb = Verb.PROTECT) -> Operation:
    return Operation(
        id="o",
        verb=verb,
        backend="b",
        implementation="b",
        scope="s",
        resource=Resource("OS::Cinder::Volume", "v"),
        options={},
        state=State.RUNNING,
        phase=1,
        created_at=NOW - timedelta(days=1),
        submitted_at=NOW - timedelta(seconds=seconds),
        deadline=NOW + timedelta(days=1),
    )


def next_delay(pace: PollInterval, *operations: Operation) -> float:
    return pace.next_delay(operations, NOW).total_seconds()


def interval_after(durations: Sequence[float], policy: Policy = POLICY) -> PollInterval:
    pace = PollInterval(policy)
    for seconds in durations:
        pace.record_completion(operation_of_age(seconds), NOW)
    return pace


def test_work_of_which_nothing_is_known_is_polled_often_at_first_and_rarely_later() -> None:
    pace = PollInterval(POLICY)
    assert [next_delay(pace, operation_of_age(age)) for age in (0, 100, 5000)] == [1, 10, 30]


def test_no_poll_comes_before_the_work_can_have_ended() -> None:
    pace = interval_after([20, 30, 40])
    assert next_delay(pace, operation_of_age(0)) == 18
    assert next_delay(pace, operation_of_age(10)) == 8
    assert next_delay(pace, operation_of_age(17.9)) == 3, "a tenth of what it usually takes"


def test_overdue_work_is_polled_less_often() -> None:
    assert next_delay(interval_after([20]), operation_of_age(200)) == 20


def test_oldest_operation_decides_the_next_poll() -> None:
    assert next_delay(interval_after([20]), operation_of_age(0), operation_of_age(15)) == 3


def test_poll_comes_sooner_when_more_work_may_have_ended() -> None:
    pace = interval_after([100])
    few, many = [operation_of_age(95)] * 2, [operation_of_age(95)] * 200
    assert next_delay(pace, *few) == 10
    assert next_delay(pace, *many) == 5, "ten of two hundred end in five seconds"


def test_the_last_of_many_are_polled_for_as_often_as_the_first() -> None:
    pace = interval_after([60, 61, 62])
    assert next_delay(pace, *[operation_of_age(60)] * 12) == 1


def test_a_steady_stream_is_polled_for_when_some_have_ended() -> None:
    pace = interval_after([600])
    assert next_delay(pace, *[operation_of_age(age) for age in range(600)]) == 10


def test_only_recent_durations_are_used() -> None:
    pace = interval_after([1] + [20] * 32)
    assert next_delay(pace, operation_of_age(0)) == 18


def test_durations_of_other_kinds_of_work_are_ignored() -> None:
    assert next_delay(interval_after([20]), operation_of_age(0, Verb.RESTORE)) == 1


def test_polls_take_no_more_than_their_part_of_the_time() -> None:
    pace = PollInterval(POLICY)
    for _ in range(12):
        pace.record_poll(timedelta(seconds=2))
    assert next_delay(pace, operation_of_age(0)) == 8


def test_time_in_the_queue_is_no_poll_cost() -> None:
    pace = PollInterval(POLICY)
    for seconds in (0.01, 3, 5, 4):
        pace.record_poll(timedelta(seconds=seconds))
    assert next_delay(pace, operation_of_age(0)) == 1


@given(
    st.lists(st.floats(0, 1e5)),
    st.lists(st.floats(0, 1e5), min_size=1),
    st.floats(0, 1e5),
)
def test_the_pause_stays_within_the_bounds(
    durations: list[float], ages: list[float], took: float
) -> None:
    pace = interval_after(durations)
    pace.record_poll(timedelta(seconds=took))
    assert 1 <= next_delay(pace, *map(operation_of_age, ages)) <= 30


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_next_delay_follows_poll_share_of_policy(share: float) -> None:
    policy = Policy(poll_limit=timedelta(hours=1), poll_share=share)
    assert next_delay(PollInterval(policy), operation_of_age(1000)) == 1000 * share
