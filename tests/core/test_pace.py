"""When the next poll comes, by how long work has been taking."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import Operation, Policy, Resource, State, Verb
from karbor_backup_core.pace import Pace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(poll_first=timedelta(seconds=1), poll_limit=timedelta(seconds=30))


def of_age(seconds: float, verb: Verb = Verb.PROTECT) -> Operation:
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


def pause(pace: Pace, *operations: Operation) -> float:
    return pace.pause(operations, NOW).total_seconds()


def after(durations: Sequence[float], policy: Policy = POLICY) -> Pace:
    pace = Pace(policy)
    for seconds in durations:
        pace.ended(of_age(seconds), NOW)
    return pace


def test_work_of_which_nothing_is_known_is_polled_often_at_first_and_rarely_later() -> None:
    pace = Pace(POLICY)
    assert [pause(pace, of_age(age)) for age in (0, 100, 5000)] == [1, 10, 30]


def test_no_poll_comes_before_the_work_can_have_ended() -> None:
    pace = after([20, 30, 40])
    assert pause(pace, of_age(0)) == 18
    assert pause(pace, of_age(10)) == 8
    assert pause(pace, of_age(17.9)) == 3, "a tenth of what it usually takes"


def test_what_takes_longer_than_the_others_is_polled_ever_more_rarely() -> None:
    assert pause(after([20]), of_age(200)) == 20


def test_the_oldest_may_be_the_first_to_end() -> None:
    assert pause(after([20]), of_age(0), of_age(15)) == 3


def test_the_more_may_have_ended_the_sooner_the_poll() -> None:
    pace = after([100])
    few, many = [of_age(95)] * 2, [of_age(95)] * 200
    assert pause(pace, *few) == 10
    assert pause(pace, *many) == 5, "ten of two hundred end in five seconds"


def test_the_last_of_many_are_polled_for_as_often_as_the_first() -> None:
    pace = after([60, 61, 62])
    assert pause(pace, *[of_age(60)] * 12) == 1


def test_a_steady_stream_is_polled_for_when_some_have_ended() -> None:
    pace = after([600])
    assert pause(pace, *[of_age(age) for age in range(600)]) == 10


def test_what_ended_long_ago_is_forgotten() -> None:
    pace = after([1] + [20] * 32)
    assert pause(pace, of_age(0)) == 18


def test_other_work_tells_nothing() -> None:
    assert pause(after([20]), of_age(0, Verb.RESTORE)) == 1


def test_polls_take_no_more_than_their_part_of_the_time() -> None:
    pace = Pace(POLICY)
    for _ in range(12):
        pace.took(timedelta(seconds=2))
    assert pause(pace, of_age(0)) == 8


def test_polls_that_had_to_queue_are_not_dear() -> None:
    pace = Pace(POLICY)
    for seconds in (0.01, 3, 5, 4):
        pace.took(timedelta(seconds=seconds))
    assert pause(pace, of_age(0)) == 1


@given(
    st.lists(st.floats(0, 1e5)),
    st.lists(st.floats(0, 1e5), min_size=1),
    st.floats(0, 1e5),
)
def test_the_pause_stays_within_the_bounds(
    durations: list[float], ages: list[float], took: float
) -> None:
    pace = after(durations)
    pace.took(timedelta(seconds=took))
    assert 1 <= pause(pace, *map(of_age, ages)) <= 30


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_the_patience_is_the_policys(share: float) -> None:
    policy = Policy(poll_limit=timedelta(hours=1), poll_share=share)
    assert pause(Pace(policy), of_age(1000)) == 1000 * share
