"""A whole project through a real Freezer and a real cloud: every member, or which one failed.

It is project "other", in which nobody else makes anything while these tests run.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from filelock import FileLock
from openstack.connection import Connection

from karbor_backup_core import Operation, Resource, Result, Runner, State, Verb
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.harness import run_operation
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded
from tests.support.outcomes import get_backup, get_outcome

SERVER = "OS::Nova::Server"
VOLUME = "OS::Cinder::Volume"
PROJECT = "OS::Keystone::Project"
CLOUD = "other"
OPTIONS = {"backup_name": "nightly"}
TIMEOUT = 900
AT = 600 * 1024
"""Where a server's disk has room for what a test writes."""

pytestmark = pytest.mark.timeout(2400)


@attrs.define
class SampleProject:
    """A project with two servers, one of which boots from a volume, and volumes.

    Attributes:
        sdk: its owner's connection.
        cloud_tools: to look into disks.
        id: the project's.
        network: of its servers.
        image: what its servers boot.
    """

    sdk: Connection
    cloud_tools: CloudTestTools
    id: str
    network: str = ""
    image: str = ""

    @property
    def resource(self) -> Resource:
        """The project."""
        return Resource(PROJECT, self.id, "shop")

    def create_defaults(self, guest: bytes) -> None:
        """Give it a network and an image."""
        network = self.sdk.network.create_network(name="shop")
        self.sdk.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.8.0.0/24")
        self.network = network.id
        formats = {"disk_format": "raw", "container_format": "bare"}
        self.image = self.sdk.image.create_image(name="shop", data=guest, **formats).id

    def make_volume(self, name: str, content: bytes, **more: Any) -> Resource:
        """Make a volume with content."""
        volume = self.sdk.block_storage.create_volume(name=name, size=1, **more)
        self.sdk.block_storage.wait_for_status(volume, "available", wait=TIMEOUT)
        self.cloud_tools.write_volume(volume.id, AT, content)
        return Resource(VOLUME, volume.id, name)

    def make_server(self, name: str, boot: Resource | None = None) -> Resource:
        """Make a server, of the image or of a volume."""
        more: dict[str, Any] = {"image_id": self.image}
        if boot is not None:
            disk = {"uuid": boot.id, "source_type": "volume", "destination_type": "volume"}
            more = {"block_device_mapping": [{**disk, "boot_index": 0}]}
        server = self.sdk.compute.create_server(
            name=name,
            flavor_id=self.sdk.compute.find_flavor("tiny").id,
            networks=[{"uuid": self.network}],
            **more,
        )
        self.sdk.compute.wait_for_server(server, wait=TIMEOUT)
        return Resource(SERVER, server.id, name)

    def remove_all(self) -> None:
        """Remove all that there is."""
        self._remove_resources(self.sdk.compute.servers, self.sdk.compute.delete_server)
        for snapshot in self.sdk.block_storage.snapshots():
            self.sdk.block_storage.delete_snapshot(snapshot)
        self._remove_resources(self.sdk.block_storage.volumes, self.sdk.block_storage.delete_volume)
        for image in self.sdk.image.images(owner=self.id):
            self.sdk.image.delete_image(image)
        if self.network:
            for port in self.sdk.network.ports(network_id=self.network):
                with contextlib.suppress(Exception):
                    self.sdk.network.delete_port(port)
            self.sdk.network.delete_network(self.network)

    def _remove_resources(self, listed: Callable[[], Any], remove: Callable[[Any], object]) -> None:
        for thing in listed():
            remove(thing)
        for _ in range(TIMEOUT):
            if not list(listed()):
                return
            time.sleep(1)
        raise AssertionError(f"still there: {list(listed())}")


@pytest.fixture
def shop(cloud_tools: CloudTestTools, harness: FreezerHarness) -> Iterator[SampleProject]:
    sdk = cloud_tools.connection(CLOUD)
    shop = SampleProject(sdk, cloud_tools, sdk.current_project_id)
    with FileLock(harness.sandbox.instance.layout.home / f"{CLOUD}.lock"):
        assert not cloud_tools.inventory(CLOUD), "somebody else uses the project"
        harness.sandbox.add_scheduler(CLOUD, cloud=CLOUD)
        try:
            shop.create_defaults(cloud_tools.guest_image())
            yield shop
        finally:
            shop.remove_all()


@pytest.fixture
def runner(harness: FreezerHarness) -> Any:
    return harness.runner(cloud=CLOUD, scheduler=CLOUD)


@contextlib.contextmanager
def forbid_volumes_of_type(
    cloud_tools: CloudTestTools, project: str, volume_type: str
) -> Iterator[None]:
    """Let no second volume of a type be made in a project; no total quota tells of it."""
    admin = cloud_tools.connection("admin").block_storage

    def limit(volumes: int) -> None:
        quota = {"quota_set": {f"volumes_{volume_type}": volumes}}
        assert admin.put(f"/os-quota-sets/{project}", json=quota).ok

    limit(1)
    try:
        yield
    finally:
        limit(-1)


def members_by_old_name(operation: Operation) -> dict[str, Resource]:
    """Return what each member became, by its old name."""
    assert operation.outcome is not None
    return {
        part.resource.name: part.restored
        for part in operation.outcome.parts
        if part.restored is not None
    }


@pytest.mark.shows(
    "project",
    "nova, cinder",
    "local",
    "two servers and three volumes; then a restore of which one member fails, reported as such",
)
def test_every_member_is_restored_and_a_partial_restore_is_reported(
    harness: FreezerHarness, cloud_tools: CloudTestTools, runner: Runner, shop: SampleProject
) -> None:
    boot = shop.make_volume("boot", b"of db", image_id=shop.image)
    web, db = shop.make_server("web"), shop.make_server("db", boot)
    data, alone = shop.make_volume("data", b"rows"), shop.make_volume("alone", b"notes")
    shop.sdk.compute.create_volume_attachment(web.id, volume_id=data.id)
    protected = run_operation(runner, Verb.PROTECT, shop.resource, OPTIONS)
    assert_succeeded(protected)
    backup = get_backup(protected)
    sources = {each.name: each.id for each in (web, db, boot, data, alone)}
    assert {m.resource.name: m.resource.id for m in backup.members} == sources
    assert {p.resource.id for p in get_outcome(protected).parts} == set(sources.values())
    assert_succeeded(run_operation(runner, Verb.VERIFY, backup))

    restored = run_operation(runner, Verb.RESTORE, backup, {"restore_name": "again"})
    assert_succeeded(restored)
    assert get_outcome(restored).resources[0] == Resource(PROJECT, shop.id, "again")
    new = members_by_old_name(restored)
    assert {name: resource.name for name, resource in new.items()} == {
        name: f"again-{name}" for name in sources
    }
    contents = {
        name: cloud_tools.read_volume(new[name].id, AT, 5) for name in ("boot", "data", "alone")
    }
    assert contents == {"boot": b"of db", "data": b"rows\0", "alone": b"notes"}
    attached = {
        name: [a.volume_id for a in shop.sdk.compute.volume_attachments(new[name].id)]
        for name in ("web", "db")
    }
    assert attached == {"web": [new["data"].id], "db": [new["boot"].id]}

    before = cloud_tools.inventory(CLOUD)
    _delete_stored_volume(Path(backup.handle["container"]) / data.id)
    partial = run_operation(runner, Verb.RESTORE, backup, {"restore_name": "part"})
    assert partial.state is State.RELEASED
    assert get_outcome(partial).result is Result.FAILED
    assert get_outcome(partial).reason.startswith("restored 3 of 5; ")
    assert get_outcome(partial).leftovers == ()
    kept = members_by_old_name(partial)
    assert kept.keys() == {"db", "boot", "alone"}
    assert cloud_tools.read_volume(kept["alone"].id, AT, 5) == b"notes"
    resources = {
        (kind, name) for kind, _, name in cloud_tools.inventory(CLOUD) - before if kind != "port"
    }
    assert {name for _, name in resources} == {"part-db", "part-boot", "part-alone"}
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
    assert harness.left_in_freezer(CLOUD) == {"jobs": [], "actions": [], "backups": []}


def test_failed_member_fails_the_project_and_leaves_nothing(
    harness: FreezerHarness, cloud_tools: CloudTestTools, runner: Runner, shop: SampleProject
) -> None:
    good = shop.make_volume("good", b"good")
    bad = shop.make_volume("bad", b"bad", volume_type="second")
    before = cloud_tools.inventory(CLOUD)
    with forbid_volumes_of_type(cloud_tools, shop.id, "second"):
        operation = run_operation(runner, Verb.PROTECT, shop.resource, OPTIONS)
    assert operation.state is State.RELEASED
    assert get_outcome(operation).result is Result.FAILED
    assert f"Freezer did not back up {VOLUME} {bad.id}" in get_outcome(operation).reason
    parts = {part.resource.id: part for part in get_outcome(operation).parts}
    assert parts.keys() == {good.id, bad.id}
    assert parts[bad.id].result is Result.FAILED
    assert cloud_tools.inventory(CLOUD) == before
    assert harness.left_on_disk() == []
    assert harness.left_in_freezer(CLOUD) == {"jobs": [], "actions": [], "backups": []}


def test_empty_project_succeeds_without_a_job(
    harness: FreezerHarness, runner: Runner, shop: SampleProject
) -> None:
    shop.remove_all()
    shop.network = ""
    protected = run_operation(runner, Verb.PROTECT, shop.resource, OPTIONS)
    assert_succeeded(protected)
    assert get_backup(protected).members == ()
    for verb in (Verb.VERIFY, Verb.RESTORE, Verb.DELETE):
        options = {"restore_name": uuid.uuid4().hex} if verb is Verb.RESTORE else {}
        assert_succeeded(run_operation(runner, verb, get_backup(protected), options))
    assert harness.left_in_freezer(CLOUD) == {"jobs": [], "actions": [], "backups": []}


@pytest.mark.shows("project", "tenant", "local", "Freezer's own way: servers of images")
def test_tenant_mode_protects_servers_only(
    harness: FreezerHarness, cloud_tools: CloudTestTools, runner: Runner, shop: SampleProject
) -> None:
    web = shop.make_server("web")
    cloud_tools.write_disk(web.id, AT, b"inside")
    protected = run_operation(runner, Verb.PROTECT, shop.resource, {**OPTIONS, "mode": "tenant"})
    assert_succeeded(protected)
    assert get_backup(protected).members == ()
    restored = run_operation(runner, Verb.RESTORE, get_backup(protected), {"restore_name": "again"})
    assert_succeeded(restored)
    (part,) = get_outcome(restored).parts
    assert part.restored is not None
    assert (part.resource.id, part.restored.name) == (web.id, "again-web")
    assert cloud_tools.read_disk(part.restored.id, AT, 6) == b"inside"
    deleted = run_operation(runner, Verb.DELETE, get_backup(protected))
    assert get_outcome(deleted).result is Result.SUCCEEDED
    # Freezer removes the servers' backups, and leaves the list of them.
    assert [left.id for left in get_outcome(deleted).leftovers] == list(
        map(str, harness.left_on_disk())
    )


def _delete_stored_volume(folder: Path) -> None:
    """Lose what is stored of one volume."""
    (data,) = [path for path in folder.rglob("*") if path.is_file() and path.name == folder.name]
    data.unlink()


def test_cinder_restores_every_member_of_a_project_and_one_alone(
    cloud_tools: CloudTestTools,
    make_cinder_runner: Callable[..., Runner],
    shop: SampleProject,
) -> None:
    boot = shop.make_volume("boot", b"of db", image_id=shop.image)
    web, data = shop.make_server("web"), shop.make_volume("data", b"rows")
    shop.make_server("db", boot)
    shop.make_volume("alone", b"notes")
    shop.sdk.compute.create_volume_attachment(web.id, volume_id=data.id)
    cloud_tools.write_disk(web.id, AT, b"inside")
    before = cloud_tools.inventory(CLOUD)
    runner = make_cinder_runner(CLOUD)
    protected = runner.wait(runner.protect("cinder", shop.resource, OPTIONS).id, TIMEOUT)
    assert_succeeded(protected)
    backup = get_backup(protected)
    members = {each.resource.name: each for each in backup.members}
    assert members.keys() == {"web", "db", "boot", "data", "alone"}
    assert not list(shop.sdk.block_storage.snapshots())

    options = {"restore_name": "again"}
    restored = runner.wait(runner.restore("cinder", backup, options).id, TIMEOUT)
    assert_succeeded(restored)
    new = members_by_old_name(restored)
    assert new.keys() == members.keys()
    contents = {
        name: cloud_tools.read_volume(new[name].id, AT, 5) for name in ("boot", "data", "alone")
    }
    assert contents == {"boot": b"of db", "data": b"rows\0", "alone": b"notes"}
    assert cloud_tools.read_disk(new["web"].id, AT, 6) == b"inside"
    attached = {
        name: [a.volume_id for a in shop.sdk.compute.volume_attachments(new[name].id)]
        for name in ("web", "db")
    }
    assert attached == {"web": [new["data"].id], "db": [new["boot"].id]}

    one = runner.wait(runner.restore("cinder", members["db"], {"restore_name": "one"}).id, TIMEOUT)
    assert_succeeded(one)
    assert [r.name for r in get_outcome(one).resources if r.type == SERVER] == ["one"]
    for resources in (get_outcome(restored).resources, get_outcome(one).resources):
        _remove_restored(shop, resources)
    assert_succeeded(runner.wait(runner.delete("cinder", backup).id, TIMEOUT))
    assert cloud_tools.inventory(CLOUD) == before


def _remove_restored(shop: SampleProject, resources: Sequence[Resource]) -> None:
    """Remove the servers and volumes that a restore has made."""
    compute, storage = shop.sdk.compute, shop.sdk.block_storage
    for kind, listed, delete in (
        (SERVER, compute.servers, compute.delete_server),
        (VOLUME, storage.volumes, storage.delete_volume),
    ):
        ids = {resource.id for resource in resources if resource.type == kind}
        for identifier in ids:
            delete(identifier)
        wait_until(lambda: ids.isdisjoint({each.id for each in listed()}))  # noqa: B023 - called at once
