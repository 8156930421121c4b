"""The Cinder backend on a real Cinder: bytes, chains, exact deletes, cancels and crashes."""

from collections.abc import Callable
from typing import Any

import pytest
from openstack.connection import Connection

from karbor_backup_core import (
    Backup,
    HasDependents,
    Operation,
    Resource,
    Result,
    Runner,
    State,
)
from sandbox import Sandbox
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.harness import TIMEOUT
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.cloud.volumes import list_cinder_backups, read_start, stopped_server
from tests.e2e.freezer.harness import assert_succeeded
from tests.support.outcomes import get_backup, get_outcome

VOLUME = "OS::Cinder::Volume"


@pytest.fixture
def volume(make_volume: Callable[..., str]) -> Resource:
    return Resource(VOLUME, make_volume("plain", b"first"))


def protect(runner: Runner, volume: Resource, **options: Any) -> Backup:
    protected = runner.wait(runner.protect("cinder", volume, options).id, TIMEOUT)
    assert_succeeded(protected)
    return get_backup(protected)


def test_each_backup_of_a_chain_is_restored_and_deleted_separately(
    make_cinder_runner: Callable[[], Runner],
    cloud_tools: CloudTestTools,
    sdk: Connection,
    volume: Resource,
    register_created: Callable[[Operation], Any],
) -> None:
    runner = make_cinder_runner()
    full = protect(runner, volume, backup_name="nightly")
    cloud_tools.write_volume(volume.id, 0, b"later")
    changes = protect(runner, volume, backup_name="nightly", incremental="always")
    kinds = sorted(b.is_incremental for b in sdk.block_storage.backups(volume_id=volume.id))
    assert kinds == [False, True]
    cloud_tools.write_volume(volume.id, 0, b"last ")

    restored = runner.wait(runner.restore("cinder", full, {"restore_name": "new"}).id, TIMEOUT)
    assert_succeeded(restored)
    (new,) = register_created(restored)
    assert new.id != volume.id
    assert (read_start(cloud_tools, new), read_start(cloud_tools, volume)) == (b"first", b"last ")

    over = runner.wait(runner.restore("cinder", changes, {"overwrite_volume": True}).id, TIMEOUT)
    assert_succeeded(over)
    assert read_start(cloud_tools, volume) == b"later"

    with pytest.raises(HasDependents) as refused:
        runner.delete("cinder", full)
    assert refused.value.dependents == (changes.id,)
    assert_succeeded(runner.wait(runner.verify("cinder", full).id, TIMEOUT))
    for backup in (changes, full):
        assert_succeeded(runner.wait(runner.delete("cinder", backup).id, TIMEOUT))
    assert list_cinder_backups(sdk, volume) == set()


def test_cancelled_protect_leaves_no_backup(
    make_cinder_runner: Callable[[], Runner], sdk: Connection, volume: Resource
) -> None:
    runner = make_cinder_runner()
    begun = runner.protect("cinder", volume, {"backup_name": "nightly"})
    wait_until(lambda: list_cinder_backups(sdk, volume))
    runner.cancel(begun.id)
    ended = runner.wait(begun.id, TIMEOUT)
    assert ended.state is State.RELEASED
    assert ended.result is Result.CANCELLED
    assert list_cinder_backups(sdk, volume) == set()


def test_another_process_finishes_a_protect_without_a_second_backup(
    make_cinder_runner: Callable[[], Runner], sdk: Connection, volume: Resource
) -> None:
    first = make_cinder_runner()
    begun = first.protect("cinder", volume, {"backup_name": "nightly"})
    wait_until(lambda: list_cinder_backups(sdk, volume))
    first.close()
    second = make_cinder_runner()
    second.resume(begun.id)
    ended = second.wait(begun.id, TIMEOUT)
    assert_succeeded(ended)
    assert len(list_cinder_backups(sdk, volume)) == 1
    assert_succeeded(second.wait(second.delete("cinder", get_backup(ended)).id, TIMEOUT))


@pytest.mark.alone
def test_protect_that_cinder_fails_names_its_reason_and_leaves_nothing(
    make_cinder_runner: Callable[[], Runner], cloud: Sandbox, sdk: Connection, volume: Resource
) -> None:
    runner = make_cinder_runner()
    with stopped_server(cloud, "cinder-backup"):
        begun = runner.protect("cinder", volume, {"backup_name": "nightly"})
        wait_until(lambda: list_cinder_backups(sdk, volume))
    ended = runner.wait(begun.id, TIMEOUT)
    assert ended.result is Result.FAILED
    assert list_cinder_backups(sdk, volume) == set()
    assert get_outcome(ended).reason
    assert ended.leftovers == ()
    assert sdk.block_storage.get_volume(volume.id).status == "available"
