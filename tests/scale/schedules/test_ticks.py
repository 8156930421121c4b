"""The ticks of cron expressions, also where clocks change, and the ids that follow from them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from karbor_backup_core import Resource
from karbor_backup_scale.schedules.section import Schedule
from karbor_backup_scale.schedules.ticks import (
    check_cron,
    last_tick,
    next_tick,
    scheduled_operation_id,
    start_delay,
)

BERLIN = ZoneInfo("Europe/Berlin")
VOLUME = Resource("OS::Cinder::Volume", "volume-1")

SECONDS = st.floats(1_600_000_000, 2_200_000_000)
EXPRESSIONS = st.sampled_from(
    ["* * * * *", "*/7 3-5 * * *", "30 2 * * *", "0 0 1 */2 *", "15 12 * * 1-5", "59 23 31 12 0"]
)


def make_schedule(name: str = "nightly", jitter: timedelta = timedelta(0)) -> Schedule:
    return Schedule(name, "30 2 * * *", [], BERLIN, jitter=jitter)


@example("30 2 * * *", 2058312600.0, BERLIN)
@given(EXPRESSIONS, SECONDS, st.sampled_from([BERLIN, ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")]))
def test_no_tick_lies_between_the_last_and_the_next(
    expression: str, seconds: float, zone: ZoneInfo
) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    last, following = last_tick(expression, zone, now), next_tick(expression, zone, now)
    assert last <= now < following
    assert next_tick(expression, zone, last) == following
    # In UTC: a moment before the end of an hour that is left out is after it by the wall clock.
    before = following.astimezone(UTC) - timedelta(microseconds=1)
    assert last_tick(expression, zone, before) == last
    assert last_tick(expression, zone, last) == last


def test_time_zone_counts() -> None:
    winter, summer = datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)
    assert last_tick("30 2 * * *", BERLIN, winter) == datetime(2026, 1, 15, 1, 30, tzinfo=UTC)
    assert last_tick("30 2 * * *", BERLIN, summer) == datetime(2026, 7, 15, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("date", ["2026-03-29", "2026-10-25"])
def test_nightly_tick_comes_once_in_the_nights_when_clocks_change(date: str) -> None:
    noon = datetime.fromisoformat(f"{date}T11:00:00+00:00")
    seen = {
        last_tick("30 2 * * *", BERLIN, noon - timedelta(minutes=minute)) for minute in range(720)
    }
    assert len({tick for tick in seen if noon - tick < timedelta(hours=12)}) == 1


@pytest.mark.parametrize("minute", range(-70, 70, 7))
def test_tick_is_not_after_its_instant_in_an_hour_that_comes_twice(minute: int) -> None:
    now = datetime(2026, 10, 25, 0, 59, 59, 500_000, UTC) + timedelta(minutes=minute)
    tick = last_tick("* * * * *", BERLIN, now).astimezone(UTC)
    assert tick == now.replace(second=0, microsecond=0)


@pytest.mark.parametrize(
    "expression", ["", "hourly", "@daily", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *"]
)
def test_expression_without_ticks_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="cron expression"):
        check_cron(expression)


def test_operation_of_a_tick_has_one_id_and_every_other_another() -> None:
    tick = datetime(2026, 1, 15, 1, 30, tzinfo=UTC)
    other_volume = Resource("OS::Cinder::Volume", "volume-2")
    ids = [
        scheduled_operation_id(make_schedule(), VOLUME, tick),
        scheduled_operation_id(make_schedule(), VOLUME, tick + timedelta(days=1)),
        scheduled_operation_id(make_schedule(), other_volume, tick),
        scheduled_operation_id(make_schedule("weekly"), VOLUME, tick),
    ]
    assert len(set(ids)) == len(ids)
    assert scheduled_operation_id(make_schedule(), VOLUME, tick.astimezone(BERLIN)) == ids[0]


def test_delays_differ_by_resource_and_stay_the_same() -> None:
    schedule = make_schedule(jitter=timedelta(minutes=10))
    delays = {
        start_delay(schedule, Resource("OS::Cinder::Volume", str(number))) for number in range(20)
    }
    assert len(delays) == 20
    assert all(timedelta(0) <= each <= timedelta(minutes=10) for each in delays)
    assert start_delay(schedule, VOLUME) == start_delay(schedule, VOLUME)
    assert start_delay(make_schedule(), VOLUME) == timedelta(0)
