"""The fake cloud itself: a service with a mind and a time of its own."""

import pytest

from karbor_backup_fake import Cloud
from karbor_backup_fake.faults import FailWork, Slow, Stall
from karbor_backup_fake.records import CloudError, Job, JobState, Kind, NotFound, Task
from tests.backends.fake.bench import PROJECT, SERVER, VOLUME, Bench


@pytest.fixture
def cloud(bench: Bench) -> Cloud:
    """A furnished cloud whose jobs take 5 seconds."""
    return bench.cloud


def job(cloud: Cloud, number: int = 0) -> Job:
    """Answer one of the cloud's jobs as it is now."""
    return cloud.list_jobs()[number]


def copied(bench: Bench) -> str:
    """Have a volume copied; answer the id of the copy."""
    begun = bench.cloud.create_job("copying", 1, Task(kind=Kind.COPY, resource=VOLUME))
    bench.clock.advance(5)
    return begun.made[0]


def test_names_of_jobs_are_not_unique(cloud: Cloud) -> None:
    for _ in range(2):
        cloud.create_job("op", 1, Task(kind=Kind.PREPARE))
    assert cloud.started["op", 1] == len(cloud.find_jobs("op")) == 2


def test_a_job_deleted_while_it_runs_leaves_an_orphan(cloud: Cloud) -> None:
    begun = cloud.create_job("op", 1, Task(kind=Kind.COPY, resource=VOLUME))
    cloud.delete_job(begun)
    assert [each.id for each in cloud.orphans] == [begun.id]
    assert cloud.left_by("op") == list(begun.made)
    with pytest.raises(NotFound, match=begun.id):
        cloud.delete_job(begun)


@pytest.mark.parametrize("heeds", [True, False])
def test_a_cancel_stops_only_a_job_that_heeds_it(bench: Bench, *, heeds: bool) -> None:
    bench.cloud.heeds_cancel = heeds
    bench.cloud.cancel_job(bench.cloud.create_job("op", 1, Task(kind=Kind.PREPARE)))
    bench.clock.advance(5)
    assert job(bench.cloud).state is (JobState.CANCELLED if heeds else JobState.DONE)


def test_a_job_that_has_ended_cannot_be_cancelled(bench: Bench) -> None:
    copied(bench)
    bench.cloud.cancel_job(job(bench.cloud))
    assert job(bench.cloud).state is JobState.DONE


def test_jobs_end_in_the_order_of_their_ends(bench: Bench) -> None:
    copy = copied(bench)
    bench.cloud.faults.plan("create_job", Slow(20), Slow(10))
    bench.cloud.create_job("erase", 1, Task(kind=Kind.ERASE, copy=copy))
    bench.cloud.create_job("read", 1, Task(kind=Kind.READ, copy=copy))
    bench.clock.advance(100)
    assert job(bench.cloud, 2).state is JobState.DONE
    assert bench.cloud.copies() == []


def test_a_copy_holds_what_was_there_when_it_was_begun(bench: Bench) -> None:
    before = bench.cloud.content(VOLUME.id)
    bench.cloud.create_job("op", 1, Task(kind=Kind.COPY, resource=VOLUME))
    bench.cloud.put(VOLUME, b"written meanwhile")
    bench.clock.advance(5)
    assert bench.cloud.copies()[0].content == before


def test_a_copy_that_is_not_complete_cannot_be_restored(cloud: Cloud) -> None:
    (copy,) = cloud.create_job("op", 1, Task(kind=Kind.COPY, resource=VOLUME)).made
    with pytest.raises(CloudError, match=copy):
        cloud.create_job("other", 1, Task(kind=Kind.RESTORE, copy=copy))
    assert cloud.left_by("other") == []


def test_only_what_failed_is_not_complete(bench: Bench) -> None:
    bench.cloud.faults.plan("create_job", FailWork(member="data"))
    bench.cloud.create_job("op", 1, Task(kind=Kind.COPY, resource=PROJECT))
    bench.clock.advance(5)
    assert {copy.resource.name: copy.complete for copy in bench.cloud.copies()} == {
        "shop": False,
        "web": True,
        "boot": True,
        "data": False,
    }


def test_a_restored_resource_is_empty_until_the_work_ends(bench: Bench) -> None:
    begun = bench.cloud.create_job("op", 1, Task(kind=Kind.RESTORE, copy=copied(bench)))
    assert bench.cloud.content(begun.made[0]) == b""
    bench.clock.advance(5)
    assert bench.cloud.content(begun.made[0]) == bench.cloud.content(VOLUME.id)


def test_a_restore_whose_resource_is_lost_meanwhile_fails(bench: Bench) -> None:
    begun = bench.cloud.create_job("op", 1, Task(kind=Kind.RESTORE, copy=copied(bench)))
    bench.cloud.lose(begun.made[0])
    bench.clock.advance(5)
    ended = job(bench.cloud, 1)
    assert ended.state is JobState.FAILED
    assert begun.made[0] in ended.reason


@pytest.mark.parametrize("forgets", [True, False])
def test_a_restart_forgets_what_runs_only_if_it_is_told_to(bench: Bench, *, forgets: bool) -> None:
    copied(bench)
    bench.cloud.faults.plan("create_job", Stall())
    bench.cloud.create_job("op", 1, Task(kind=Kind.PREPARE))
    bench.cloud.restart(forget_running=forgets)
    assert [each.operation for each in bench.cloud.jobs()] == (
        ["copying"] if forgets else ["copying", "op"]
    )


def test_a_member_that_is_not_there_cannot_be_put_into_a_resource(cloud: Cloud) -> None:
    cloud.lose(VOLUME.id)
    with pytest.raises(NotFound, match=VOLUME.id):
        cloud.put(SERVER, members=(VOLUME,))
