"""Servers through a real Freezer, Nova and Cinder: the disks come back, and what is around them."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from openstack.connection import Connection

from karbor_backup_core import Operation, Resource, Result, Verb
from sandbox.openstack.guest import TEXT_OFFSET
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.harness import run_operation
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded
from tests.support.outcomes import get_backup, get_outcome

SERVER = "OS::Nova::Server"
VOLUME = "OS::Cinder::Volume"
OPTIONS = {"backup_name": "nightly"}

RegisterCreated: TypeAlias = Callable[[Operation], tuple[Resource, ...]]


def server_facts(server: Any) -> dict[str, Any]:
    """Return what is to be the same of a server and its copy."""
    own = {k: v for k, v in server.metadata.items() if not k.startswith("karbor_backup_")}
    return {
        "flavor": server.flavor.name,
        "key": server.key_name,
        "zone": server.availability_zone,
        "metadata": own,
        "tags": server.tags,
        "description": server.description,
        "groups": sorted(group["name"] for group in server.security_groups),
        "addresses": {
            network: sorted(address["addr"] for address in addresses)
            for network, addresses in server.addresses.items()
        },
    }


def own_resources(harness: FreezerHarness, cloud_tools: CloudTestTools) -> set[Any]:
    """Return what there is in the cloud that has this test's name."""
    return {thing for thing in cloud_tools.inventory() if harness.top in thing[2]}


@pytest.fixture
def key(harness: FreezerHarness, sdk: Connection) -> Iterator[str]:
    keypair = sdk.compute.create_keypair(name=f"{harness.top}-key")
    yield keypair.name
    sdk.compute.delete_keypair(keypair)


@pytest.fixture
def group(harness: FreezerHarness, sdk: Connection) -> Iterator[str]:
    """Yield a security group's id; its servers are removed before it."""
    security_group = sdk.network.create_security_group(name=f"{harness.top}-group")
    yield security_group.id
    sdk.network.delete_security_group(security_group)


@pytest.mark.shows(
    "server from an image",
    "nova",
    "local",
    "its disk; flavor, address, groups, key, zone, metadata, tags, description",
)
def test_server_of_an_image_is_restored_unchanged(
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    key: str,
    group: str,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
    register_created: RegisterCreated,
) -> None:
    identifier = make_server(
        "web",
        image=make_image("guest"),
        networks=("netB", "netA"),
        security_groups=[{"name": group}],
        key_name=key,
        metadata={"role": "web"},
        tags=["front"],
        description="the shop",
    )
    cloud_tools.write_disk(identifier, TEXT_OFFSET, b"inside the disk")
    before = server_facts(sdk.compute.get_server(identifier))
    runner = harness.runner()
    protected = run_operation(runner, Verb.PROTECT, Resource(SERVER, identifier), OPTIONS)
    assert_succeeded(protected)
    backup = get_backup(protected)
    sdk.compute.delete_server(identifier)
    wait_until(lambda: identifier not in {server.id for server in sdk.compute.servers()})

    restored = run_operation(runner, Verb.RESTORE, backup, {"restore_name": f"{harness.top}-new"})
    (new,) = register_created(restored)
    assert get_outcome(restored).checks == ()
    server = sdk.compute.get_server(new.id)
    assert (server.name, server.status) == (f"{harness.top}-new", "ACTIVE")
    assert server_facts(server) == before
    assert cloud_tools.guest_texts(new.id) == ["inside the disk"]
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
    assert harness.left_on_disk() == []


@pytest.mark.shows(
    "server from a volume",
    "cinder",
    "local",
    "its boot volume and a data volume, in order; another address where the old one is taken",
)
def test_server_of_volumes_is_restored_beside_its_source(
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_volume: Callable[..., str],
    make_server_from_volume: Callable[..., str],
    make_image: Callable[..., str],
    register_created: RegisterCreated,
) -> None:
    root = make_volume("root", image_id=make_image("guest"))
    cloud_tools.write_volume(root, TEXT_OFFSET, b"system")
    data = make_volume("data", b"data")
    identifier = make_server_from_volume("db", root, data)
    runner = harness.runner()
    protected = run_operation(
        runner,
        Verb.PROTECT,
        Resource(SERVER, identifier),
        {**OPTIONS, "include_volumes": True},
    )
    assert_succeeded(protected)
    restored = run_operation(
        runner, Verb.RESTORE, get_backup(protected), {"restore_name": f"{harness.top}-new"}
    )
    server, *volumes = register_created(restored)
    before = {one.volume_id: one.device for one in sdk.compute.volume_attachments(identifier)}
    after = {one.volume_id: one.device for one in sdk.compute.volume_attachments(server.id)}
    assert [after[volume.id] for volume in volumes] == [before[root], before[data]]
    assert [volume.name for volume in volumes] == [
        f"{harness.top}-new-{before[source].removeprefix('/dev/')}" for source in (root, data)
    ]
    assert cloud_tools.guest_texts(server.id)[0] == "system"
    assert cloud_tools.read_volume(volumes[1].id, 0, 4) == b"data"
    assert sdk.compute.get_server(server.id).status == "ACTIVE"
    became = {part.resource.id: part.restored for part in get_outcome(restored).parts}
    assert became == {identifier: server, root: volumes[0], data: volumes[1]}
    (check,) = get_outcome(restored).checks
    assert "is taken; it has" in check.reason


@pytest.mark.shows(
    "server from an image", "nova", "local", "a flavor that is gone: refused, and nothing is made"
)
def test_restore_without_the_flavor_is_refused_before_it_starts(
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    admin_sdk: Any,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
) -> None:
    flavor = admin_sdk.compute.create_flavor(name=f"{harness.top}-own", vcpus=1, ram=64, disk=1)
    identifier = make_server("web", image=make_image("guest"), flavor_id=flavor.id)
    runner = harness.runner()
    protected = run_operation(runner, Verb.PROTECT, Resource(SERVER, identifier), OPTIONS)
    assert_succeeded(protected)
    admin_sdk.compute.delete_flavor(flavor)
    before = own_resources(harness, cloud_tools)
    refused = run_operation(
        runner, Verb.RESTORE, get_backup(protected), {"restore_name": f"{harness.top}-new"}
    )
    assert get_outcome(refused).result is Result.FAILED
    assert get_outcome(refused).refused
    assert f"{harness.top}-own" in get_outcome(refused).reason
    assert own_resources(harness, cloud_tools) == before
    assert sdk.compute.get_server(identifier).status == "ACTIVE"
