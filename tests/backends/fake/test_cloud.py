"""The fake cloud itself: a service with a mind and a time of its own."""

import pytest

from karbor_backup_fake import FakeCloud
from karbor_backup_fake._model import CloudError, Job, JobKind, JobState, NotFound, Task
from karbor_backup_fake.faults import FailJob, SlowJob, StallJob
from tests.backends.fake.harness import PROJECT, SERVER, VOLUME, DriverHarness


@pytest.fixture
def cloud(harness: DriverHarness) -> FakeCloud:
    """Return a furnished cloud whose jobs take 5 seconds."""
    return harness.cloud


def current_job(cloud: FakeCloud, number: int = 0) -> Job:
    """Return one of the cloud's jobs as it is now."""
    return cloud.list_jobs()[number]


def copy_volume(harness: DriverHarness) -> str:
    """Have a volume copied; answer the id of the copy."""
    begun = harness.cloud.create_job("copying", 1, Task(kind=JobKind.COPY, resource=VOLUME))
    harness.clock.advance(5)
    return begun.made[0]


def test_names_of_jobs_are_not_unique(cloud: FakeCloud) -> None:
    for _ in range(2):
        cloud.create_job("op", 1, Task(kind=JobKind.PREPARE))
    assert cloud.started["op", 1] == len(cloud.find_jobs("op")) == 2


def test_a_job_deleted_while_it_runs_leaves_an_orphan(cloud: FakeCloud) -> None:
    begun = cloud.create_job("op", 1, Task(kind=JobKind.COPY, resource=VOLUME))
    cloud.delete_job(begun)
    assert [each.id for each in cloud.orphans] == [begun.id]
    assert cloud.remaining_ids("op") == list(begun.made)
    with pytest.raises(NotFound, match=begun.id):
        cloud.delete_job(begun)


@pytest.mark.parametrize("heeds", [True, False])
def test_cancel_stops_only_a_job_that_obeys_it(harness: DriverHarness, *, heeds: bool) -> None:
    harness.cloud.heeds_cancel = heeds
    harness.cloud.cancel_job(harness.cloud.create_job("op", 1, Task(kind=JobKind.PREPARE)))
    harness.clock.advance(5)
    assert current_job(harness.cloud).state is (JobState.CANCELLED if heeds else JobState.DONE)


def test_a_job_that_has_ended_cannot_be_cancelled(harness: DriverHarness) -> None:
    copy_volume(harness)
    harness.cloud.cancel_job(current_job(harness.cloud))
    assert current_job(harness.cloud).state is JobState.DONE


def test_jobs_end_in_the_order_of_their_end_times(harness: DriverHarness) -> None:
    copy = copy_volume(harness)
    harness.cloud.faults.plan("create_job", SlowJob(20), SlowJob(10))
    harness.cloud.create_job("erase", 1, Task(kind=JobKind.ERASE, copy=copy))
    harness.cloud.create_job("read", 1, Task(kind=JobKind.READ, copy=copy))
    harness.clock.advance(100)
    assert current_job(harness.cloud, 2).state is JobState.DONE
    assert harness.cloud.copies() == []


def test_copy_has_the_content_at_its_start(harness: DriverHarness) -> None:
    before = harness.cloud.read_content(VOLUME.id)
    harness.cloud.create_job("op", 1, Task(kind=JobKind.COPY, resource=VOLUME))
    harness.cloud.add_resource(VOLUME, b"written meanwhile")
    harness.clock.advance(5)
    assert harness.cloud.copies()[0].content == before


def test_incomplete_copy_cannot_be_restored(cloud: FakeCloud) -> None:
    (copy,) = cloud.create_job("op", 1, Task(kind=JobKind.COPY, resource=VOLUME)).made
    with pytest.raises(CloudError, match=copy):
        cloud.create_job("other", 1, Task(kind=JobKind.RESTORE, copy=copy))
    assert cloud.remaining_ids("other") == []


def test_only_failed_members_and_their_project_are_incomplete(harness: DriverHarness) -> None:
    harness.cloud.faults.plan("create_job", FailJob(member="data"))
    harness.cloud.create_job("op", 1, Task(kind=JobKind.COPY, resource=PROJECT))
    harness.clock.advance(5)
    assert {copy.resource.name: copy.complete for copy in harness.cloud.copies()} == {
        "shop": False,
        "web": True,
        "boot": True,
        "data": False,
    }


def test_a_restored_resource_is_empty_until_the_work_ends(harness: DriverHarness) -> None:
    begun = harness.cloud.create_job("op", 1, Task(kind=JobKind.RESTORE, copy=copy_volume(harness)))
    assert harness.cloud.read_content(begun.made[0]) == b""
    harness.clock.advance(5)
    assert harness.cloud.read_content(begun.made[0]) == harness.cloud.read_content(VOLUME.id)


def test_restore_fails_when_its_resource_is_deleted(harness: DriverHarness) -> None:
    begun = harness.cloud.create_job("op", 1, Task(kind=JobKind.RESTORE, copy=copy_volume(harness)))
    harness.cloud.remove_resource(begun.made[0])
    harness.clock.advance(5)
    ended = current_job(harness.cloud, 1)
    assert ended.state is JobState.FAILED
    assert begun.made[0] in ended.reason


@pytest.mark.parametrize("forgets", [True, False])
def test_restart_loses_running_jobs_only_on_request(
    harness: DriverHarness, *, forgets: bool
) -> None:
    copy_volume(harness)
    harness.cloud.faults.plan("create_job", StallJob())
    harness.cloud.create_job("op", 1, Task(kind=JobKind.PREPARE))
    harness.cloud.restart(forget_running=forgets)
    assert [each.operation for each in harness.cloud.jobs()] == (
        ["copying"] if forgets else ["copying", "op"]
    )


def test_missing_member_cannot_be_added_to_a_resource(cloud: FakeCloud) -> None:
    cloud.remove_resource(VOLUME.id)
    with pytest.raises(NotFound, match=VOLUME.id):
        cloud.add_resource(SERVER, members=(VOLUME,))
