"""Durations as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core.durations import parse_duration

_counts = st.integers(0, 1000)


@given(_counts, _counts, _counts, _counts)
def test_units_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    whole = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if whole:
        assert parse_duration(f"{days}d{hours}h{minutes}m{seconds}s") == whole


@given(st.floats(0.001, 1e6, allow_nan=False))
def test_a_plain_number_is_in_seconds(seconds: float) -> None:
    assert parse_duration(f"{seconds:.6f}") == timedelta(seconds=float(f"{seconds:.6f}"))


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "5x", "-5s", "h", "1m1h", "1.5h", "0", "0s", "٣s", "9" * 30 + "d"]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like|not longer|can be counted"):
        parse_duration(text)


@given(st.text())
def test_whatever_is_typed_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert duration > timedelta()
