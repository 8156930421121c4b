"""Karbor's API over a real cloud, with Keystone on: a plan of what depends on each other."""

import re
import secrets
import signal
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
import pytest
from openstack.connection import Connection

from sandbox import Sandbox
from sandbox.openstack.configuration import SERVICE_ROLE
from sandbox.openstack.guest import TEXT_OFFSET
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.freezer.harness import FreezerHarness
from tests.e2e.karbor.accounts import make_karbor_user
from tests.e2e.karbor.conftest import EXAMPLES, directories, full_karbor, make_karbor
from tests.e2e.karbor.karbor_service import KarborService, wait_until

__all__ = ["directories", "full_karbor", "make_karbor"]

SERVER = "OS::Nova::Server"
VOLUME = "OS::Cinder::Volume"
NETWORK = "OS::Neutron::Network"
IMAGE = "OS::Glance::Image"
TIMEOUT = 900.0
"""Seconds after which a test no longer believes that a checkpoint settles."""

_CONF = """\
auth_uri = {auth_url}
[DEFAULT]
auth_strategy = keystone
[trustee]
auth_url = {auth_url}
username = {user}
password = {password}
[keystone_authtoken]
auth_type = password
auth_url = {auth_url}
username = {user}
password = {password}
user_domain_id = default
project_name = admin
project_domain_id = default
[nova_client]
nova_endpoint = {nova}
[cinder_client]
cinder_endpoint = {cinder}
[glance_client]
glance_endpoint = {glance}
[neutron_client]
neutron_endpoint = {neutron}
"""


@attrs.frozen
class Account:
    """Karbor's own user."""

    id: str
    name: str
    password: str = attrs.field(repr=False)


@pytest.fixture
def account(cloud: Sandbox, harness: FreezerHarness) -> Iterator[Account]:
    name, password = f"{harness.top}-karbor", secrets.token_hex(16)
    # Nova and the others refuse a token that Karbor sends beside the user's without this role.
    roles = ("admin", SERVICE_ROLE)
    account = Account(make_karbor_user(cloud, name, password, roles), name, password)
    yield account
    cloud.session("admin").delete(f"{cloud.auth_url}/users/{account.id}")


@pytest.fixture
def karbor(
    cloud: Sandbox,
    harness: FreezerHarness,
    account: Account,
    make_karbor: Callable[..., KarborService],
) -> tuple[KarborService, str]:
    """Return a Karbor that is used by the user demo, and the id of its provider."""
    provider = str(uuid.uuid4())
    return start_karbor(cloud, harness, account, make_karbor, [provider]), provider


def start_karbor(
    cloud: Sandbox,
    harness: FreezerHarness,
    account: Account,
    make_karbor: Callable[..., KarborService],
    providers: Iterable[str],
) -> KarborService:
    """Start a Karbor that is used by the user demo, with Freezer providers of these ids."""
    karbor = configure_karbor(cloud, account, make_karbor)
    text = (EXAMPLES / "freezer.conf").read_text()
    text = text.replace("/var/lib/freezer/backups", str(harness.storage / harness.top))
    text = text.replace("# cloud = production", "scheduler_client_id = node1\nlease = 5")
    text = text.replace("poll_interval = 20", "poll_interval = 2")
    for provider in providers:
        karbor.add_provider(provider, re.sub("(?m)^id = .*$", f"id = {provider}", text))
    karbor.start()
    return karbor


def configure_karbor(
    cloud: Sandbox, account: Account, make_karbor: Callable[..., KarborService]
) -> KarborService:
    """Return a Karbor that is used by the user demo; it has no provider, and is not started."""
    user = cloud.session()
    conf = _CONF.format(
        auth_url=cloud.auth_url,
        user=account.name,
        password=account.password,
        nova=user.get_endpoint(service_type="compute"),
        cinder=user.get_endpoint(service_type="block-storage"),
        glance=user.get_endpoint(service_type="image"),
        neutron=user.get_endpoint(service_type="network"),
    )
    return make_karbor(
        more=conf, project=user.get_project_id(), token=user.get_token(), timeout=TIMEOUT
    )


def find_listed(karbor: KarborService, kind: str, identifier: str) -> dict[str, Any]:
    """One of the resources that Karbor lists, as it is put into a plan."""
    instances = karbor.call("GET", f"/protectables/{kind}/instances")["instances"]
    (one,) = (each for each in instances if each["id"] == identifier)
    return {key: one[key] for key in ("id", "type", "name")}


def attached(sdk: Connection, server: str) -> list[str]:
    return [each.volume_id for each in sdk.compute.volume_attachments(server)]


def list_trusts(cloud: Sandbox, account: Account) -> list[Any]:
    """Return the trusts by which the user demo has lent anything to Karbor."""
    user = cloud.session()
    given = f"{cloud.auth_url}/OS-TRUST/trusts?trustor_user_id={user.get_user_id()}"
    trusts = user.get(given).json()["trusts"]
    return [each for each in trusts if each["trustee_user_id"] == account.id]


@pytest.fixture
def server(
    cloud_tools: CloudTestTools, make_image: Callable[..., str], make_server: Callable[..., str]
) -> str:
    """Return a server of an image, with words of its own on its disk."""
    identifier = str(make_server("web", make_image("guest")))
    cloud_tools.write_disk(identifier, TEXT_OFFSET, b"the server's own")
    return identifier


@pytest.fixture
def volume(sdk: Connection, make_volume: Callable[..., str], server: str) -> str:
    """Return a volume of the server's."""
    identifier = str(make_volume("data", b"the volume's own"))
    sdk.compute.create_volume_attachment(server, volume_id=identifier)
    wait_until(
        lambda: sdk.block_storage.get_volume(identifier).status == "in-use", "the attachment"
    )
    return identifier


def delete_server_and_volume(sdk: Connection, server: str, volume: str) -> None:
    """Remove a server and its volume."""
    sdk.compute.delete_server(server)
    wait_until(
        lambda: server not in {each.id for each in sdk.compute.servers()}, "the end of the server"
    )
    sdk.block_storage.delete_volume(volume)
    wait_until(
        lambda: volume not in {each.id for each in sdk.block_storage.volumes()},
        "the end of the volume",
    )


@pytest.mark.shows(
    "server from an image and its volume, by a plan of Karbor's with network and image",
    "nova, cinder",
    "local",
    "both lost: their bytes, new names and ids, and the new server has the new volume",
)
@pytest.mark.usefixtures("nothing_left")
def test_server_is_restored_with_its_volume_under_new_names(
    cloud: Sandbox,
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    account: Account,
    karbor: tuple[KarborService, str],
    server: str,
    volume: str,
) -> None:
    service, provider = karbor
    image = sdk.compute.get_server(server).image.id
    wanted = [(SERVER, server), (VOLUME, volume), (NETWORK, service.project), (IMAGE, image)]
    plan = service.plan(provider, [find_listed(service, *each) for each in wanted])
    checkpoint = service.protect(provider, plan)
    assert service.wait_until_settled(provider, checkpoint) == "available", service.log.read_text()[
        -3000:
    ]
    delete_server_and_volume(sdk, server, volume)

    restored = service.restore(
        provider, checkpoint, {SERVER: {"restore_name": f"{harness.top}-again"}}
    )
    assert restored["status"] == "success", restored
    new_ids = dict(each.split("#") for each in restored["resources_status"])
    assert set(restored["resources_status"].values()) == {"available"}
    assert (new_ids[NETWORK], new_ids[IMAGE]) == (service.project, image)
    assert new_ids[SERVER] != server
    assert new_ids[VOLUME] != volume
    assert attached(sdk, new_ids[SERVER]) == [new_ids[VOLUME]]
    assert sdk.compute.get_server(new_ids[SERVER]).name == f"{harness.top}-again"
    named = sdk.block_storage.get_volume(new_ids[VOLUME]).name
    assert named.startswith(f"{harness.top}-again-")
    assert cloud_tools.guest_texts(new_ids[SERVER]) == ["the server's own"]
    assert cloud_tools.read_volume(new_ids[VOLUME], 0, 16) == b"the volume's own"

    assert service.verify(provider, checkpoint)["status"] == "success"
    assert service.delete(provider, checkpoint) == "deleted"
    assert harness.left_on_disk() == []
    assert list_trusts(cloud, account) == []


@pytest.mark.usefixtures("nothing_left")
def test_a_killed_protect_of_a_tenants_volume_leaves_no_trust(
    cloud: Sandbox,
    harness: FreezerHarness,
    account: Account,
    karbor: tuple[KarborService, str],
    make_volume: Callable[..., str],
) -> None:
    service, provider = karbor
    volume = make_volume("data", b"the volume's own")
    plan = service.plan(provider, [find_listed(service, VOLUME, volume)])
    checkpoint = service.protect(provider, plan)
    wait_until(lambda: harness.left_in_freezer()["jobs"] != [], "the job")
    (trust,) = list_trusts(cloud, account)
    assert trust["project_id"] == service.project
    service.stop(signal.SIGKILL)
    assert list_trusts(cloud, account) == [trust]

    recovered = service.recover(provider)
    assert recovered.returncode == 0, recovered.stderr
    assert f"{checkpoint}: protecting -> available" in recovered.stdout
    assert list_trusts(cloud, account) == []
    service.start()
    assert service.delete(provider, checkpoint) == "deleted"
    assert list_trusts(cloud, account) == []
