"""Servers through the Cinder backend, on real Nova and Cinder: disks, shape, chains, traces."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from openstack.connection import Connection

from karbor_backup_core import HasDependents, Operation, Resource, Result, Runner, State
from sandbox.openstack.guest import TEXT_OFFSET
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.harness import TIMEOUT
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.cloud.test_servers import SERVER, own_resources, server_facts
from tests.e2e.cloud.volumes import list_cinder_backups, read_start
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded
from tests.support.outcomes import get_backup, get_outcome

VOLUME = "OS::Cinder::Volume"


@pytest.fixture
def make_database_server(
    cloud_tools: CloudTestTools,
    make_image: Callable[..., str],
    make_volume: Callable[..., str],
    make_server_from_volume: Callable[..., str],
) -> Callable[[], tuple[Resource, Resource, Resource]]:
    """Return a function that makes a running server with a boot volume and a data volume."""

    def make() -> tuple[Resource, Resource, Resource]:
        root = make_volume("root", image_id=make_image("guest"))
        cloud_tools.write_volume(root, TEXT_OFFSET, b"system")
        data = make_volume("data", b"first")
        server = make_server_from_volume("db", root, data)
        return Resource(SERVER, server), Resource(VOLUME, root), Resource(VOLUME, data)

    return make


def options(harness: FreezerHarness, **more: Any) -> dict[str, Any]:
    """Return the options of a protect, with a name that is the test's own."""
    return {"backup_name": f"{harness.top}-nightly", **more}


def test_server_of_an_image_is_restored_with_its_volume_after_it_is_gone(
    make_cinder_runner: Callable[..., Runner],
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
    make_volume: Callable[..., str],
    register_created: Callable[[Operation], Any],
) -> None:
    identifier = make_server(
        "web",
        image=make_image("guest"),
        networks=("netB", "netA"),
        metadata={"role": "web"},
        tags=["front"],
        description="the shop",
    )
    data = Resource(VOLUME, make_volume("data", b"first"))
    sdk.compute.create_volume_attachment(identifier, volume_id=data.id)
    wait_until(lambda: sdk.block_storage.get_volume(data.id).status == "in-use")
    cloud_tools.write_disk(identifier, TEXT_OFFSET, b"inside the disk")
    facts = server_facts(sdk.compute.get_server(identifier))
    before = own_resources(harness, cloud_tools)
    runner = make_cinder_runner()
    begun = runner.protect("cinder", Resource(SERVER, identifier), options(harness))
    protected = runner.wait(begun.id, TIMEOUT)
    assert_succeeded(protected)
    backup = get_backup(protected)
    image = backup.handle["images"][identifier]
    added = {(kind, id_) for kind, id_, _ in own_resources(harness, cloud_tools) - before}
    assert {id_ for kind, id_ in added if kind == "image"} == {image}
    assert not [kind for kind, _ in added if kind == "volume snapshot"]
    sdk.compute.delete_server(identifier)
    wait_until(lambda: identifier not in {server.id for server in sdk.compute.servers()})

    name = f"{harness.top}-new"
    restored = runner.wait(runner.restore("cinder", backup, {"restore_name": name}).id, TIMEOUT)
    assert_succeeded(restored)
    server, volume = register_created(restored)
    shown = sdk.compute.get_server(server.id)
    assert (shown.name, shown.status) == (name, "ACTIVE")
    assert server_facts(shown) == facts
    assert cloud_tools.guest_texts(server.id)[0] == "inside the disk"
    assert read_start(cloud_tools, volume) == b"first"
    assert_succeeded(runner.wait(runner.verify("cinder", backup).id, TIMEOUT))
    assert_succeeded(runner.wait(runner.delete("cinder", backup).id, TIMEOUT))
    assert list_cinder_backups(sdk, data) == set()
    assert image not in {each.id for each in sdk.image.images()}


def test_each_backup_of_a_servers_chain_is_restored_and_deleted_separately(
    make_cinder_runner: Callable[..., Runner],
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_database_server: Callable[[], tuple[Resource, Resource, Resource]],
    register_created: Callable[[Operation], Any],
) -> None:
    source, root, data = make_database_server()
    runner = make_cinder_runner()

    def protect(**more: Any) -> Any:
        begun = runner.protect("cinder", source, options(harness, **more))
        ended = runner.wait(begun.id, TIMEOUT)
        assert_succeeded(ended)
        return get_backup(ended)

    full = protect()
    changes = protect(incremental="always")
    kinds = sorted(b.is_incremental for b in sdk.block_storage.backups(volume_id=data.id))
    assert kinds == [False, True]
    for number, backup in enumerate((full, changes)):
        name = f"{harness.top}-new{number}"
        restored = runner.wait(runner.restore("cinder", backup, {"restore_name": name}).id, TIMEOUT)
        assert_succeeded(restored)
        server, new_root, new_data = register_created(restored)
        attached = {a.volume_id: a.device for a in sdk.compute.volume_attachments(server.id)}
        origin = {a.volume_id: a.device for a in sdk.compute.volume_attachments(source.id)}
        assert [attached[new_root.id], attached[new_data.id]] == [origin[root.id], origin[data.id]]
        assert cloud_tools.guest_texts(server.id)[0] == "system"
        assert read_start(cloud_tools, new_data) == b"first"

    part = next(each for each in changes.members if each.resource.id == data.id)
    alone = {"restore_name": f"{harness.top}-alone"}
    (volume,) = register_created(runner.wait(runner.restore("cinder", part, alone).id, TIMEOUT))
    assert read_start(cloud_tools, volume) == b"first"

    with pytest.raises(HasDependents) as refused:
        runner.delete("cinder", full)
    assert refused.value.dependents == (changes.id,)
    for backup in (changes, full):
        assert_succeeded(runner.wait(runner.delete("cinder", backup).id, TIMEOUT))
    assert list_cinder_backups(sdk, root) | list_cinder_backups(sdk, data) == set()


def test_cancelled_or_interrupted_protect_of_a_server_leaves_nothing_twice(
    make_cinder_runner: Callable[..., Runner],
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_database_server: Callable[[], tuple[Resource, Resource, Resource]],
) -> None:
    source, _, data = make_database_server()
    before = own_resources(harness, cloud_tools)
    runner = make_cinder_runner()
    begun = runner.protect("cinder", source, options(harness))
    wait_until(lambda: list_cinder_backups(sdk, data))
    runner.cancel(begun.id)
    cancelled = runner.wait(begun.id, TIMEOUT)
    assert cancelled.state is State.RELEASED
    assert cancelled.result is Result.CANCELLED
    assert own_resources(harness, cloud_tools) == before

    begun = runner.protect("cinder", source, options(harness))
    wait_until(lambda: list_cinder_backups(sdk, data))
    runner.close()
    second = make_cinder_runner()
    second.resume(begun.id)
    ended = second.wait(begun.id, TIMEOUT)
    assert_succeeded(ended)
    assert len(list_cinder_backups(sdk, data)) == 1
    assert_succeeded(second.wait(second.delete("cinder", get_backup(ended)).id, TIMEOUT))
    assert own_resources(harness, cloud_tools) == before


def test_protect_and_restore_of_a_server_that_are_late_or_cancelled_leave_nothing(
    make_cinder_runner: Callable[..., Runner],
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_database_server: Callable[[], tuple[Resource, Resource, Resource]],
) -> None:
    source, _, _ = make_database_server()
    before = own_resources(harness, cloud_tools)
    runner = make_cinder_runner()
    late = timedelta(seconds=1)
    begun = runner.protect("cinder", source, options(harness), deadline=late)
    assert_failed_late(runner.wait(begun.id, TIMEOUT))
    assert own_resources(harness, cloud_tools) == before

    backup = get_backup(runner.wait(runner.protect("cinder", source, options(harness)).id, TIMEOUT))
    stored = own_resources(harness, cloud_tools)
    wanted = {"restore_name": f"{harness.top}-new"}
    begun = runner.restore("cinder", backup, wanted, deadline=late)
    assert_failed_late(runner.wait(begun.id, TIMEOUT))
    assert own_resources(harness, cloud_tools) == stored

    begun = runner.restore("cinder", backup, wanted)
    wait_until(lambda: "restoring-backup" in list_own_states(sdk, wanted["restore_name"]))
    runner.cancel(begun.id)
    cancelled = runner.wait(begun.id, TIMEOUT)
    assert (cancelled.state, cancelled.result) == (State.RELEASED, Result.CANCELLED)
    assert own_resources(harness, cloud_tools) == stored
    assert_succeeded(runner.wait(runner.delete("cinder", backup).id, TIMEOUT))
    assert own_resources(harness, cloud_tools) == before


def list_own_states(sdk: Connection, name: str) -> set[str]:
    """Return the states of the volumes whose names begin with one."""
    return {v.status for v in sdk.block_storage.volumes() if (v.name or "").startswith(name)}


def assert_failed_late(operation: Operation) -> None:
    """Check that an operation failed by its deadline, and has left nothing to remove."""
    outcome = get_outcome(operation)
    assert (operation.state, outcome.result) == (State.RELEASED, Result.FAILED), outcome
    assert "deadline" in outcome.reason
    assert outcome.leftovers == ()
