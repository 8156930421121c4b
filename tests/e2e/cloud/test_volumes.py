"""Volumes through a real Freezer and a real Cinder: the bytes come back, into the right volume."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from openstack.connection import Connection

from karbor_backup_core import Backup, Operation, Resource, Result, Runner, State, Verb
from karbor_backup_freezer.model.ids import job_id
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.harness import run_operation, wait_finished
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded
from tests.support.outcomes import get_backup, get_outcome

VOLUME = "OS::Cinder::Volume"
OPTIONS = {"backup_name": "nightly"}

RegisterCreated: TypeAlias = Callable[[Operation], tuple[Resource, ...]]


def protect_volume(runner: Runner, volume: Resource) -> Backup:
    protected = run_operation(runner, Verb.PROTECT, volume, OPTIONS)
    assert_succeeded(protected)
    backup: Backup = get_backup(protected)
    return backup


@pytest.mark.shows(
    "volume",
    "cinder",
    "local",
    "two backups, restored at once, one of them twice; deleted one by one",
)
def test_each_of_two_backups_is_restored_and_deleted_separately(
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    make_volume: Callable[..., str],
    register_created: RegisterCreated,
) -> None:
    volume = Resource(VOLUME, make_volume("data", b"first"))
    runner = harness.runner()
    first = protect_volume(runner, volume)
    cloud_tools.write_volume(volume.id, 0, b"later")
    second = protect_volume(runner, volume)
    cloud_tools.write_volume(volume.id, 0, b"lost!")

    restores = [
        runner.restore("freezer", backup, {"restore_name": f"{harness.top}-{number}"})
        for number, backup in enumerate((first, second, first))
    ]
    restored = [register_created(wait_finished(runner, restore)) for restore in restores]
    ids = [resource.id for (resource,) in restored]
    assert len({volume.id, *ids}) == 4
    assert [cloud_tools.read_volume(new, 0, 5) for new in ids] == [b"first", b"later", b"first"]
    assert cloud_tools.read_volume(volume.id, 0, 5) == b"lost!"

    assert_succeeded(run_operation(runner, Verb.DELETE, first))
    assert_succeeded(run_operation(runner, Verb.VERIFY, second))
    (again,) = register_created(
        run_operation(runner, Verb.RESTORE, second, {"restore_name": f"{harness.top}-again"})
    )
    assert cloud_tools.read_volume(again.id, 0, 5) == b"later"
    assert_succeeded(run_operation(runner, Verb.DELETE, second))
    assert harness.left_on_disk() == []
    assert harness.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}


@pytest.mark.shows(
    "volume", "cinder", "local", "attached to a running server: type, metadata, image metadata"
)
def test_attached_volume_is_restored_unchanged(
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
    make_volume: Callable[..., str],
    register_created: RegisterCreated,
) -> None:
    identifier = make_volume(
        "data", b"inside", volume_type="second", metadata={"owner": "me"}, description="precious"
    )
    server = make_server("user", image=make_image("guest"))
    sdk.compute.create_volume_attachment(server, volume_id=identifier)
    volume = sdk.block_storage.wait_for_status(
        sdk.block_storage.get_volume(identifier), "in-use", interval=0.5, wait=60
    )
    volume.set_image_metadata(sdk.block_storage, metadata={"os_type": "linux"})
    runner = harness.runner()
    backup = protect_volume(runner, Resource(VOLUME, identifier))
    restored = run_operation(runner, Verb.RESTORE, backup, {"restore_name": f"{harness.top}-copy"})
    (new,) = register_created(restored)
    assert get_outcome(restored).checks == ()
    copy = sdk.block_storage.get_volume(new.id)
    assert cloud_tools.read_volume(new.id, 0, 6) == b"inside"
    assert (copy.name, copy.description) == (f"{harness.top}-copy", "precious")
    assert (copy.volume_type, copy.availability_zone) == ("second", volume.availability_zone)
    assert (copy.is_bootable, copy.volume_image_metadata) == (False, {"os_type": "linux"})
    marks = {"karbor_backup_operation": restored.id, "karbor_backup_member": identifier}
    assert copy.metadata == {"owner": "me", **marks}
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def end_agent(harness: FreezerHarness, operation: Operation) -> None:
    """End the agent of an operation's job, as an operator does to one that never ends."""

    def schedule() -> Any:
        job = harness.client().get_job(job_id(operation.id))
        assert job is not None
        return job["job_schedule"]

    os.kill(int(schedule()["current_pid"]), signal.SIGKILL)
    wait_until(lambda: schedule().get("result"))


@pytest.mark.alone
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.shows(
    "volume",
    "cinder",
    "local",
    "Glance out of space, for which the agent waits for ever: the protect fails by its deadline, "
    "what is left is named, and removed once the agent has ended",
)
def test_protect_without_space_for_the_image_ends_at_its_deadline(
    harness: FreezerHarness, cloud_tools: CloudTestTools, make_volume: Callable[..., str]
) -> None:
    volume = Resource(VOLUME, make_volume("data", b"first"))
    before = cloud_tools.inventory()
    runner = harness.runner()
    with cloud_tools.fill_images():
        failed = run_operation(
            runner, Verb.PROTECT, volume, OPTIONS, deadline=timedelta(seconds=90)
        )
    assert get_outcome(failed).result is Result.FAILED
    named = {left.id for left in get_outcome(failed).leftovers}
    assert {
        thing[1] for thing in cloud_tools.inventory() - before if job_id(failed.id) in thing[2]
    } <= named

    # An agent that looks just while Glance calls the image killed ends by itself.
    if failed.suspended:
        end_agent(harness, failed)
        runner.resume(failed.id)
        failed = wait_finished(runner, failed)
    assert failed.state is State.RELEASED
    assert cloud_tools.inventory() == before


@pytest.mark.alone
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.shows(
    "volume",
    "cinder",
    "local",
    "Cinder puts the new volume in error, for which the agent waits for ever: the restore fails "
    "by its deadline, and the volume is named",
)
def test_new_volume_in_error_ends_the_restore_by_its_deadline(
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_volume: Callable[..., str],
) -> None:
    volume = Resource(VOLUME, make_volume("data", b"first"))
    runner = harness.runner()
    backup = protect_volume(runner, volume)
    before = cloud_tools.inventory()
    with cloud_tools.break_new_volumes():
        options = {"restore_name": f"{harness.top}-broken"}
        failed = run_operation(
            runner, Verb.RESTORE, backup, options, deadline=timedelta(seconds=60)
        )
    (broken,) = [v for v in sdk.block_storage.volumes() if v.status == "error"]
    assert get_outcome(failed).result is Result.FAILED
    assert failed.suspended
    (note,) = [left.note for left in get_outcome(failed).leftovers if left.id == broken.id]
    assert "in state error" in note

    end_agent(harness, failed)
    runner.resume(failed.id)
    released = wait_finished(runner, failed)
    assert released.state is State.RELEASED
    assert broken.id in {left.id for left in get_outcome(released).leftovers}
    # Nothing proves that it is this restore's, so it stays, and is a person's to remove.
    sdk.block_storage.delete_volume(broken.id)
    wait_until(lambda: cloud_tools.inventory() == before)
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
