"""The quick yes to an answer is never a yes to what a store could not keep."""

import math
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import (
    RECEIPT_LIMIT,
    Health,
    Leftover,
    Member,
    Part,
    Progress,
    ProgressState,
    Resource,
    Result,
)
from karbor_backup_core._serialization.fast_check import matches_annotations
from karbor_backup_core.documents import from_document, to_document
from tests.support.strategies import instances, operation, progresses

RUNNING = Progress(ProgressState.RUNNING)

ARBITRARY_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.binary(max_size=3)
    | st.datetimes()
    | st.sampled_from([*ProgressState, *Result, Resource("a", "b"), Part, object()]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=2)
    ),
)


def survives_round_trip(instance: Any) -> bool:
    """Return whether an instance comes back from a document as it was."""
    try:
        return bool(from_document(type(instance), to_document(instance)) == instance)
    except Exception:  # noqa: BLE001 - whatever it is that keeps it from coming back
        return False


@given(progresses)
def test_valid_progress_passes_the_fast_check(progress: Progress) -> None:
    assert matches_annotations(progress)


@given(instances(), st.data(), ARBITRARY_VALUES)
def test_instance_that_passes_the_fast_check_can_be_stored(
    instance: Any, data: st.DataObject, strange: Any
) -> None:
    name = data.draw(st.sampled_from([field.name for field in attrs.fields(type(instance))]))
    spoiled = attrs.evolve(instance, **{name: strange})
    assert survives_round_trip(_as_json(spoiled)) or not matches_annotations(spoiled)


@pytest.mark.parametrize(
    "instance",
    [
        attrs.evolve(RUNNING, state="running"),
        attrs.evolve(RUNNING, done=True),
        attrs.evolve(RUNNING, done=math.nan),
        attrs.evolve(RUNNING, done=10**400),
        attrs.evolve(RUNNING, unit=None),
        attrs.evolve(RUNNING, parts=[]),
        attrs.evolve(RUNNING, leftovers=(Leftover("job", 1),)),  # type: ignore[arg-type]
        attrs.evolve(RUNNING, receipt={1: "one"}),
        attrs.evolve(RUNNING, receipt={"when": datetime(2026, 1, 1, tzinfo=UTC)}),
        attrs.evolve(RUNNING, receipt={"deep": {"data": b""}}),
        attrs.evolve(RUNNING, handle={"data": "x" * RECEIPT_LIMIT}),
        Member(Resource("volume", "1"), None),  # type: ignore[arg-type]
        Health(ok=True, summary="fine", details=None),  # type: ignore[arg-type]
        operation(created_at=datetime(2026, 1, 1)),  # noqa: DTZ001 - it is what is wrong here
    ],
    ids=repr,
)
def test_wrong_value_at_any_depth_fails_the_fast_check(instance: Any) -> None:
    assert not matches_annotations(instance)


def test_self_reference_fails_the_fast_check() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    assert not matches_annotations(attrs.evolve(RUNNING, receipt=endless))


def _as_json(instance: Any) -> Any:
    """Make a tuple within JSON a list, as which it comes back."""
    listed = {
        field.name: _tuples_to_lists(getattr(instance, field.name))
        for field in attrs.fields(type(instance))
        if isinstance(getattr(instance, field.name), dict)
    }
    return attrs.evolve(instance, **listed)


def _tuples_to_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tuples_to_lists(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_tuples_to_lists(inner) for inner in value]
    return value
