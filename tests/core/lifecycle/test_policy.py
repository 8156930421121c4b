"""What makes no sense as a policy is refused when it is made."""

from datetime import timedelta
from typing import Any

import pytest

from karbor_backup_core import Policy


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"deadline": timedelta()}, "deadline"),
        ({"lease": timedelta(seconds=-1)}, "lease"),
        ({"lease": timedelta(milliseconds=1)}, "lease"),
        ({"lease": timedelta(days=31)}, "lease"),
        ({"lease": timedelta(days=400_000)}, "lease"),
        ({"lease": timedelta.max}, "lease"),
        ({"deadline": timedelta.max}, "deadline"),
        ({"poll_share": float("nan")}, "poll_share"),
        ({"poll_share": 0}, "poll_share"),
        ({"attempts": 0}, "attempts"),
        ({"poll_first": timedelta(minutes=2)}, "poll_first"),
    ],
)
def test_invalid_policy_value_is_refused_by_its_name(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Policy(**values)


@pytest.mark.parametrize(
    ("name", "value"),
    [("deadline", 60), ("lease", "30s"), ("attempts", "3"), ("attempts", 2.5), ("poll_ends", True)],
)
def test_value_of_another_type_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"policy {name}: "):
        Policy(**{name: value})
