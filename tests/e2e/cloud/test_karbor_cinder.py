"""Karbor's API over Cinder's own backups in a real cloud, with Keystone on; without a Freezer."""

import re
import signal
import uuid
from collections.abc import Callable

import pytest
from openstack.connection import Connection

from karbor_backup_core import Resource
from sandbox import Sandbox
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.test_karbor import (
    VOLUME,
    Account,
    account,
    configure_karbor,
    find_listed,
    list_trusts,
)
from tests.e2e.cloud.volumes import list_cinder_backups, read_start
from tests.e2e.karbor.conftest import EXAMPLES, directories, full_karbor, make_karbor
from tests.e2e.karbor.karbor_service import KarborService, wait_until

__all__ = ["account", "directories", "full_karbor", "make_karbor"]


@pytest.fixture
def karbor(
    cloud: Sandbox,
    account: Account,
    make_karbor: Callable[..., KarborService],
) -> tuple[KarborService, str]:
    """Return a Karbor with the provider's file that we ship, and the id of its provider."""
    service, provider = configure_karbor(cloud, account, make_karbor), str(uuid.uuid4())
    text = (EXAMPLES / "cinder.conf").read_text()
    text = text.replace("poll_interval = 20", "poll_interval = 2\nlease = 5")
    service.add_provider(provider, re.sub("(?m)^id = .*$", f"id = {provider}", text))
    service.start()
    return service, provider


@pytest.fixture
def volume(make_volume: Callable[..., str]) -> Resource:
    return Resource(VOLUME, make_volume("data", b"first"))


def test_volume_of_a_user_is_protected_and_restored_without_freezer(
    cloud: Sandbox,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    account: Account,
    karbor: tuple[KarborService, str],
    volume: Resource,
) -> None:
    service, provider = karbor
    plan = service.plan(provider, [find_listed(service, VOLUME, volume.id)])
    checkpoint = service.protect(provider, plan)
    log = service.log.read_text()
    assert service.wait_until_settled(provider, checkpoint) == "available", log[-3000:]
    assert len(list_cinder_backups(sdk, volume)) == 1
    cloud_tools.write_volume(volume.id, 0, b"later")

    restored = service.restore(provider, checkpoint)
    assert restored["status"] == "success", restored
    ((key, status),) = restored["resources_status"].items()
    kind, new = key.split("#")
    assert (kind, status) == (VOLUME, "available")
    assert new != volume.id
    contents = [read_start(cloud_tools, Resource(VOLUME, each)) for each in (new, volume.id)]
    assert contents == [b"first", b"later"]
    sdk.block_storage.delete_volume(new)

    assert service.verify(provider, checkpoint)["status"] == "success"
    assert service.delete(provider, checkpoint) == "deleted"
    assert list_cinder_backups(sdk, volume) == set()
    assert list_trusts(cloud, account) == []


def test_killed_protect_is_finished_by_the_users_trust(
    cloud: Sandbox,
    sdk: Connection,
    account: Account,
    karbor: tuple[KarborService, str],
    volume: Resource,
) -> None:
    service, provider = karbor
    plan = service.plan(provider, [find_listed(service, VOLUME, volume.id)])
    checkpoint = service.protect(provider, plan)
    wait_until(lambda: list_cinder_backups(sdk, volume) != set(), "the backup")
    (trust,) = list_trusts(cloud, account)
    assert trust["project_id"] == service.project
    service.stop(signal.SIGKILL)

    recovered = service.recover(provider)
    assert recovered.returncode == 0, recovered.stderr
    assert f"{checkpoint}: protecting -> available" in recovered.stdout
    assert list_trusts(cloud, account) == []
    assert len(list_cinder_backups(sdk, volume)) == 1
    service.start()
    assert service.delete(provider, checkpoint) == "deleted"
    assert list_cinder_backups(sdk, volume) == set()
