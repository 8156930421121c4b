"""A cloud with a limit works on so many jobs at once; the others wait in their order."""

import pytest

from karbor_backup_core import ManualClock, Resource
from karbor_backup_fake import FakeCloud
from karbor_backup_fake._model import Job, JobKind, JobState, Task

VOLUME = Resource("OS::Cinder::Volume", "v1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def cloud(clock: ManualClock) -> FakeCloud:
    cloud = FakeCloud(clock=clock, service_seconds=3, work_limit=2)
    cloud.add_resource(VOLUME, b"bytes")
    return cloud


def create_jobs(cloud: FakeCloud, count: int) -> list[Job]:
    task = Task(kind=JobKind.COPY, resource=VOLUME)
    return [cloud.create_job(f"o{number}", 1, task) for number in range(count)]


def states(cloud: FakeCloud) -> list[str]:
    return [job.state.value for job in cloud.jobs()]


def test_jobs_beyond_the_limit_wait_for_those_before_them(
    cloud: FakeCloud, clock: ManualClock
) -> None:
    create_jobs(cloud, 5)
    assert states(cloud) == ["running"] * 2 + ["queued"] * 3
    clock.advance(3)
    assert states(cloud) == ["done"] * 2 + ["running"] * 2 + ["queued"]
    clock.advance(100)
    assert states(cloud) == ["done"] * 5
    assert [(job.ends_at - job.started_at).seconds for job in cloud.jobs() if job.ends_at] == [
        3
    ] * 5
    assert max(job.ends_at for job in cloud.jobs() if job.ends_at) < clock()


def test_a_queued_job_has_made_nothing(cloud: FakeCloud) -> None:
    *_, queued = create_jobs(cloud, 3)
    assert queued.state is JobState.QUEUED
    assert len(cloud.copies()) == 2
    cloud.cancel_job(queued)
    assert cloud.jobs("o2")[0].state is JobState.CANCELLED
    assert not cloud.orphans


def test_a_job_that_leaves_makes_room(cloud: FakeCloud) -> None:
    first, second, _, _ = create_jobs(cloud, 4)
    cloud.cancel_job(first)
    assert states(cloud) == ["cancelled", "running", "running", "queued"]
    cloud.delete_job(second)
    assert states(cloud) == ["cancelled", "running", "running"]


def test_a_job_that_cannot_begin_fails_and_lets_the_next_one_pass(
    cloud: FakeCloud, clock: ManualClock
) -> None:
    create_jobs(cloud, 4)
    cloud.remove_resource(VOLUME.id)
    other = cloud.add_resource(Resource(VOLUME.type, "v2"), b"more")
    cloud.create_job("last", 1, Task(kind=JobKind.COPY, resource=other))
    clock.advance(3)
    assert states(cloud) == ["done", "done", "failed", "failed", "running"]
