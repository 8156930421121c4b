"""What the fake cloud looks things up with finds the same as a look through everything."""

from datetime import UTC, datetime, timedelta

import attrs
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import Resource
from karbor_backup_fake._indexes import JobIndex, NestedIndex
from karbor_backup_fake._model import Asset, Job, JobKind, JobState, Task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IDS = st.sampled_from("abcd")


@st.composite
def _assets(draw: st.DrawFn) -> Asset:
    return Asset(
        Resource("volume", "any"),
        operation=draw(st.sampled_from(["", "one", "two"])),
        members=tuple(draw(st.lists(IDS, unique=True, max_size=2))),
    )


@st.composite
def _jobs(draw: st.DrawFn) -> Job:
    seconds = draw(st.integers(-3, 3) | st.none())
    return Job(
        id="any",
        operation="one",
        phase=1,
        task=Task(kind=JobKind.PREPARE),
        started_at=NOW,
        ends_at=None if seconds is None else NOW + timedelta(seconds=seconds),
        state=draw(st.sampled_from(JobState)),
    )


@given(st.lists(st.tuples(IDS, _assets() | st.none())))
def test_resources_of_an_operation_are_found_with_their_members(
    changes: list[tuple[str, Asset | None]],
) -> None:
    index: NestedIndex[Asset] = NestedIndex()
    for key, asset in changes:
        if asset is None:
            index.pop(key, None)
        else:
            index[key] = asset
    for operation in ("", "one", "two"):
        expected = {key for key, asset in index.items() if asset.operation == operation}
        assert set(index.ids_made_by(operation)) == expected
    for key in "abcd":
        assert index.contains_member(key) == any(key in asset.members for asset in index.values())


@given(st.lists(st.tuples(IDS, _jobs() | st.none())))
def test_each_job_that_is_due_is_returned_once(changes: list[tuple[str, Job | None]]) -> None:
    index = JobIndex()
    for key, job in changes:
        if job is None:
            index.pop(key, None)
        else:
            index[key] = attrs.evolve(job, id=key)
    running = [job for job in index.values() if job.state is JobState.RUNNING]
    late = [job for job in running if job.ends_at is not None and job.ends_at <= NOW]
    due = index.pop_due(NOW)
    assert sorted(job.id for job in due) == sorted(job.id for job in late)
    assert [job.ends_at for job in due] == sorted(job.ends_at for job in late if job.ends_at)
