"""Requests that come late: of two things made of one source one goes, and none stays unnamed.

The scripted cloud lets the other process have its turn right before a request arrives.
"""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, ProgressState, Result, Transient
from karbor_backup_freezer.model.items import Mode
from karbor_backup_openstack.metadata import operation_metadata
from tests.backends.freezer.restore.harness import (
    GIB,
    FakeContents,
    RestoreHarness,
    restore_operation,
    server_item,
    server_spec,
    stored_items,
    volume_item,
)


def _once(cloud: RestoreHarness, act: Callable[[], object]) -> None:
    def before() -> None:
        cloud.before_change = lambda: None
        act()

    cloud.before_change = before


def _native() -> tuple[Operation, FakeContents, Any]:
    item = volume_item(mode=Mode.NATIVE)
    return restore_operation(item.resource), FakeContents(stored_items(item)), item


def _server(cloud: RestoreHarness) -> tuple[Operation, FakeContents, Any]:
    """Return a server whose image the agent has restored, and whose own server is gone already."""
    item = server_item()
    operation = restore_operation(item.resource)
    agents = cloud.agent_server(operation, 0, "web")
    cloud.pass_time()
    cloud.sdk.compute.delete_server(agents.id)
    cloud.pass_time()
    return operation, FakeContents(stored_items(item), (server_spec(cloud, item),)), item


def test_volume_of_a_concurrent_process_is_kept_and_the_newer_removed(
    cloud: RestoreHarness,
) -> None:
    operation, contents, item = _native()

    def other_process() -> None:
        cloud.sdk.block_storage.create_volume(
            name="first", size=1, metadata=operation_metadata(operation, item.id)
        )
        cloud.time += 1

    _once(cloud, other_process)
    with pytest.raises(Transient, match="another process has made volume"):
        cloud.rebuild.prepare(operation, contents, {})
    (first,) = cloud.state.volumes.find_by_name("first")
    cloud.pass_time()
    step = cloud.rebuild.prepare(operation, contents, {})
    assert step.progress.state is ProgressState.READY
    assert cloud.rebuild.native_target(step.restore_state, item) == first.id
    first.content = b"data"
    progress, _ = cloud.finish(operation, contents, step.restore_state)
    assert progress.state is ProgressState.SUCCEEDED
    assert cloud.list_resources() == {f"volume/{first.id}"}


def test_server_of_a_concurrent_process_is_kept_and_the_newer_removed(
    cloud: RestoreHarness,
) -> None:
    operation, contents, item = _server(cloud)

    def other_process() -> None:
        cloud.sdk.compute.create_server(
            name="first",
            flavor_id=cloud.flavor.id,
            image_id=cloud.state.images.find_by_name("guest")[0].id,
            networks="none",
            metadata=operation_metadata(operation, item.id),
        )
        cloud.pass_time()

    _once(cloud, other_process)
    with pytest.raises(Transient, match="another process has made server"):
        cloud.rebuild.advance(operation, contents, {})
    cloud.pass_time()
    progress, _ = cloud.finish(operation, contents)
    assert progress.state is ProgressState.SUCCEEDED
    (server,) = cloud.state.servers
    assert server.shown["name"] == "first"
    assert [resource.id for resource in progress.resources] == [server.id]


def test_server_created_after_the_operation_is_removed(cloud: RestoreHarness) -> None:
    operation, contents, _ = _server(cloud)
    _once(cloud, lambda: setattr(cloud, "is_over", True))
    with pytest.raises(Transient, match="is over"):
        cloud.rebuild.advance(operation, contents, {})
    cloud.pass_time()
    assert list(cloud.state.servers) == []


def test_volume_created_after_the_operation_is_named_while_it_is_pending(
    cloud: RestoreHarness, caplog: pytest.LogCaptureFixture
) -> None:
    operation, contents, _ = _native()
    _once(cloud, lambda: setattr(cloud, "is_over", True))
    with pytest.raises(Transient, match="Cinder is still making it: remove it"):
        cloud.rebuild.prepare(operation, contents, {})
    (volume,) = cloud.state.volumes
    assert volume.id in caplog.text


@pytest.mark.parametrize("step", ["prepare", "advance"])
def test_step_after_the_end_creates_nothing(cloud: RestoreHarness, step: str) -> None:
    operation, contents, _ = _native()
    cloud.is_over = True
    answer = getattr(cloud.rebuild, step)(operation, contents, {})
    assert answer.progress.state is ProgressState.FAILED
    assert "is gone from Freezer" in answer.progress.reason
    assert cloud.list_resources() == set()


def test_recorded_volume_that_is_gone_is_reported_and_not_recreated(cloud: RestoreHarness) -> None:
    operation, contents, item = _native()
    step = cloud.rebuild.prepare(operation, contents, {})
    cloud.pass_time()
    noted = cloud.rebuild.native_target(step.restore_state, item)
    cloud.state.volumes.remove(cloud.state.volumes.get(noted))
    again = cloud.rebuild.prepare(operation, contents, step.restore_state)
    assert again.progress.state is ProgressState.FAILED
    assert f"volume {noted}, made of it, is gone" in again.progress.reason
    assert cloud.list_resources() == set()


def test_recorded_server_that_is_gone_is_reported_and_not_recreated(cloud: RestoreHarness) -> None:
    operation, contents, _ = _server(cloud)
    step = cloud.rebuild.advance(operation, contents, {})
    cloud.pass_time()
    (server,) = cloud.state.servers
    cloud.sdk.compute.delete_server(server.id)
    cloud.pass_time()
    again = cloud.rebuild.advance(operation, contents, step.restore_state)
    assert again.progress.state is ProgressState.FAILED
    assert f"server {server.id}, made of it, is gone" in again.progress.reason
    assert list(cloud.state.servers) == []


def test_surplus_of_a_success_is_named_and_not_removed(cloud: RestoreHarness) -> None:
    item = volume_item()
    operation, contents = (
        restore_operation(item.resource),
        FakeContents(stored_items(item, length=GIB)),
    )
    cloud.agent_volume(operation, 0, item)
    progress, notes = cloud.finish(operation, contents)
    late = cloud.sdk.block_storage.create_volume(
        name="late", size=1, metadata=operation_metadata(operation, item.id)
    )
    outcome = Outcome(Result.SUCCEEDED, resources=progress.resources)
    (left,) = cloud.rebuild.surplus(attrs.evolve(operation, outcome=outcome), contents, notes)
    assert left.id == late.id
    assert "may have made it" in left.note
    assert cloud.state.volumes.get(late.id).id == late.id
