"""Cinder's own backups: waited for in Cinder, restored beside the volume, removed one by one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from openstack.connection import Connection

from karbor_backup_core import (
    Backup,
    Operation,
    OperationFuture,
    Policy,
    Resource,
    Result,
    State,
    Verb,
)
from karbor_backup_openstack.native_backups import LEFTOVER_KIND
from sandbox import Sandbox
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.harness import run_operation, wait_finished
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.cloud.volumes import list_cinder_backups, read_start, stopped_server
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded
from tests.support.outcomes import get_backup, get_outcome

VOLUME = "OS::Cinder::Volume"
OPTIONS = {"backup_name": "nightly", "mode": "cindernative"}
PROMPT = Policy(
    poll_first=timedelta(seconds=0.5),
    poll_limit=timedelta(seconds=1),
    grace=timedelta(seconds=3),
    release=timedelta(seconds=90),
)


@pytest.fixture
def volume(make_volume: Callable[..., str]) -> Resource:
    return Resource(VOLUME, make_volume("native", b"first"))


def cinder_backup_id(backup: Backup) -> str:
    (item,) = backup.handle["items"]
    return str(item["native"])


@pytest.mark.shows(
    "volume",
    "cindernative",
    "any",
    "two backups: each restored into a new volume with its bytes, one over the old volume, each "
    "removed alone",
)
def test_each_backup_is_restored_and_deleted_separately(
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    volume: Resource,
    register_created: Callable[[Operation], Any],
) -> None:
    runner = harness.runner()
    protected = run_operation(runner, Verb.PROTECT, volume, OPTIONS)
    assert_succeeded(protected)
    first = get_backup(protected)
    checks = {check.name: check.verified for check in first.checks}
    assert checks["Cinder's backup"]
    assert not checks["stored data"]

    cloud_tools.write_volume(volume.id, 0, b"later")
    second = get_backup(run_operation(runner, Verb.PROTECT, volume, OPTIONS))
    assert list_cinder_backups(sdk, volume) == {cinder_backup_id(first), cinder_backup_id(second)}

    cloud_tools.write_volume(volume.id, 0, b"last ")
    restored = run_operation(runner, Verb.RESTORE, first, {"restore_name": f"{harness.top}-first"})
    (new,) = register_created(restored)
    assert new.id != volume.id
    assert (read_start(cloud_tools, new), read_start(cloud_tools, volume)) == (b"first", b"last ")

    over = {"restore_name": f"{harness.top}-native", "overwrite_volume": True}
    (same,) = register_created(run_operation(runner, Verb.RESTORE, second, over))
    assert same.id == volume.id
    assert read_start(cloud_tools, volume) == b"later"

    assert_succeeded(run_operation(runner, Verb.DELETE, first))
    assert list_cinder_backups(sdk, volume) == {cinder_backup_id(second)}
    assert_succeeded(run_operation(runner, Verb.VERIFY, second))
    assert_succeeded(run_operation(runner, Verb.DELETE, second))
    assert list_cinder_backups(sdk, volume) == set()
    assert harness.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}


def _begin_protect(
    harness: FreezerHarness, sdk: Connection, volume: Resource, **more: Any
) -> tuple[Any, OperationFuture]:
    """Begin a protect and wait until Cinder has begun its backup."""
    runner = harness.runner(PROMPT)
    operation = runner.protect("freezer", volume, OPTIONS, **more)
    wait_until(lambda: list_cinder_backups(sdk, volume))
    return runner, operation


@pytest.mark.alone
@pytest.mark.shows(
    "volume",
    "cindernative",
    "any",
    "cinder-backup stopped half-way: fails with Cinder's reason, nothing is left",
)
def test_failed_native_backup_quotes_cinder(
    harness: FreezerHarness, sdk: Connection, cloud: Sandbox, volume: Resource
) -> None:
    with stopped_server(cloud, "cinder-backup"):
        runner, operation = _begin_protect(harness, sdk, volume)
        (begun,) = list_cinder_backups(sdk, volume)
    ended = wait_finished(runner, operation)
    assert get_outcome(ended).result is Result.FAILED
    # Its restart resets the backup, or takes up its old order and finds it reset: two reasons.
    assert get_outcome(ended).reason.startswith(f"Cinder's backup {begun} failed: ")
    assert "gives no reason" not in get_outcome(ended).reason
    assert get_outcome(ended).leftovers == ()
    assert list_cinder_backups(sdk, volume) == set()
    assert sdk.block_storage.get_volume(volume.id).status == "available"


@pytest.mark.alone
def test_native_backup_that_never_ends_is_named_and_removed_later(
    harness: FreezerHarness, sdk: Connection, cloud: Sandbox, volume: Resource
) -> None:
    with stopped_server(cloud, "cinder-backup"):
        deadline = timedelta(seconds=20)
        runner, operation = _begin_protect(harness, sdk, volume, deadline=deadline)
        suspended = wait_finished(runner, operation)
        assert suspended.state is State.ENDED
        assert get_outcome(suspended).result is Result.FAILED
        (still,) = list_cinder_backups(sdk, volume)
        assert (LEFTOVER_KIND, still) in {
            (left.kind, left.id) for left in get_outcome(suspended).leftovers
        }
    runner.resume(operation.id)
    released = wait_finished(runner, operation)
    assert released.state is State.RELEASED
    assert get_outcome(released).leftovers == ()
    assert list_cinder_backups(sdk, volume) == set()


@pytest.mark.shows(
    "volume", "cindernative", "any", "a backup that somebody removed from Cinder fails a verify"
)
def test_native_backup_deleted_in_cinder_is_reported_as_gone(
    harness: FreezerHarness, sdk: Connection, volume: Resource
) -> None:
    runner = harness.runner()
    backup = get_backup(run_operation(runner, Verb.PROTECT, volume, OPTIONS))
    sdk.block_storage.delete_backup(cinder_backup_id(backup))
    wait_until(lambda: not list_cinder_backups(sdk, volume))
    verified = run_operation(runner, Verb.VERIFY, backup)
    assert get_outcome(verified).result is Result.FAILED
    assert f"Cinder has no backup {cinder_backup_id(backup)}" in get_outcome(verified).reason
    refused = run_operation(runner, Verb.RESTORE, backup, {"restore_name": f"{harness.top}-gone"})
    assert get_outcome(refused).result is Result.FAILED
    assert get_outcome(refused).resources == ()
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def test_another_backup_of_the_same_volume_is_kept(
    harness: FreezerHarness, sdk: Connection, volume: Resource
) -> None:
    mine = sdk.block_storage.create_backup(volume_id=volume.id, name="somebody's", force=True)
    wait_until(lambda: sdk.block_storage.get_backup(mine.id).status == "available")
    runner = harness.runner()
    backup = get_backup(run_operation(runner, Verb.PROTECT, volume, OPTIONS))
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
    assert list_cinder_backups(sdk, volume) == {mine.id}
