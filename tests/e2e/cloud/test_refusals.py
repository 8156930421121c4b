"""What cannot be protected or restored is refused in the real services' words, before it begins."""

import functools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from openstack.connection import Connection

from karbor_backup_core import Backup, InvalidDocument, Operation, Resource, Result, State, Verb
from sandbox import Sandbox
from tests.e2e.cloud.harness import protect_resource, run_operation
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded

SERVER = "OS::Nova::Server"
VOLUME = "OS::Cinder::Volume"
PROJECT = "OS::Keystone::Project"
DEMO = "demo"


@pytest.fixture
def elsewhere(
    cloud: Sandbox,
    admin_sdk: Connection,
    harness: FreezerHarness,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Connection]:
    """Yield a project of the test's own, the cloud ``elsewhere``, for its quotas."""
    identity = admin_sdk.identity
    project = identity.create_project(name=harness.top)
    identity.assign_project_role_to_user(
        project, identity.find_user(DEMO), identity.find_role("member")
    )
    clouds = yaml.safe_load(cloud.clouds_yaml.read_text())
    demo = clouds["clouds"][DEMO]
    clouds["clouds"]["elsewhere"] = {**demo, "auth": {**demo["auth"], "project_name": harness.top}}
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump(clouds))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with Connection(cloud="elsewhere") as connection:
        yield connection
        storage = connection.block_storage
        for volume in storage.volumes():
            admin_sdk.block_storage.delete_volume(volume.id, force=True)
        wait_until(lambda: not list(storage.volumes()))
    identity.delete_project(project)


@pytest.fixture
def own_flavor(admin_sdk: Connection, harness: FreezerHarness) -> Iterator[Any]:
    flavor = admin_sdk.compute.create_flavor(name=harness.top, vcpus=1, ram=64, disk=1)
    yield flavor
    admin_sdk.compute.delete_flavor(flavor)


@pytest.fixture
def own_network(sdk: Connection, harness: FreezerHarness) -> Iterator[Any]:
    network = sdk.network.create_network(name=harness.top)
    sdk.network.create_subnet(
        network_id=network.id, ip_version=4, cidr="10.91.0.0/24", enable_dhcp=False
    )
    yield network
    sdk.network.delete_network(network)


@pytest.fixture
def own_type(admin_sdk: Connection, harness: FreezerHarness) -> Iterator[Any]:
    kind = admin_sdk.block_storage.create_type(name=harness.top)
    yield kind
    admin_sdk.block_storage.delete_type(kind)


@pytest.fixture
def begin_refused(harness: FreezerHarness) -> Callable[..., str]:
    """Begin an operation that must be refused; answers the reason. Nothing may be left of it."""
    runner_of = functools.cache(lambda cloud: harness.runner(cloud=cloud))

    def refused(verb: Verb, target: Resource | Backup, cloud: str = DEMO, **options: Any) -> str:
        given = {"backup_name": "nightly"} if verb is Verb.PROTECT else {"restore_name": "new"}
        operation: Operation = run_operation(runner_of(cloud), verb, target, {**given, **options})
        assert operation.state is State.RELEASED
        assert operation.outcome is not None
        assert operation.outcome.result is Result.FAILED
        assert operation.outcome.refused, operation.outcome.reason
        assert operation.outcome.leftovers == ()
        assert "\n" not in operation.outcome.reason
        left = harness.left_in_freezer(cloud)
        assert (left["jobs"], left["actions"]) == ([], [])
        return operation.outcome.reason

    return refused


def remove_server(sdk: Connection, server: str) -> None:
    """Remove a server, and wait until it is gone."""
    sdk.compute.delete_server(server)
    wait_until(lambda: server not in {each.id for each in sdk.compute.servers()})


def remove_volume(sdk: Connection, volume: str) -> None:
    """Remove a volume, and wait until it is gone."""
    sdk.block_storage.delete_volume(volume)
    wait_until(lambda: volume not in {each.id for each in sdk.block_storage.volumes()})


@pytest.mark.parametrize("type_", [SERVER, VOLUME])
def test_unknown_id_is_refused(begin_refused: Callable[..., str], type_: str) -> None:
    nobody = str(uuid.uuid4())
    assert f"{nobody}: status 404" in begin_refused(Verb.PROTECT, Resource(type_, nobody))


def test_id_of_another_type_is_refused(
    make_image: Callable[..., str],
    make_server: Callable[..., str],
    make_volume: Callable[..., str],
    begin_refused: Callable[..., str],
) -> None:
    volume, server = make_volume("volume"), make_server("server", make_image("image"))
    message = begin_refused(Verb.PROTECT, Resource(SERVER, volume))
    assert message.endswith(f"That is the id of {VOLUME}.")
    message = begin_refused(Verb.PROTECT, Resource(VOLUME, server))
    assert message.endswith(f"That is the id of {SERVER}.")


def test_resources_of_another_project_are_refused(
    elsewhere: Connection, sdk: Connection, begin_refused: Callable[..., str]
) -> None:
    volume = elsewhere.block_storage.create_volume(size=1)
    assert "status 404" in begin_refused(Verb.PROTECT, Resource(VOLUME, volume.id))
    message = begin_refused(Verb.PROTECT, Resource(VOLUME, volume.id), cloud="admin")
    assert f"is of project {elsewhere.current_project_id}" in message
    message = begin_refused(Verb.PROTECT, Resource(PROJECT, elsewhere.current_project_id))
    assert f"are for project {sdk.current_project_id}" in message


def test_server_in_a_state_without_images_is_refused(
    sdk: Connection,
    admin_sdk: Connection,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
    begin_refused: Callable[..., str],
) -> None:
    server = make_server("server", make_image("image"))
    resource = Resource(SERVER, server)
    admin_sdk.compute.reset_server_state(server, "error")
    assert "is in state ERROR" in begin_refused(Verb.PROTECT, resource)
    admin_sdk.compute.reset_server_state(server, "active")
    sdk.compute.shelve_server(server)
    assert "in the middle of the task 'shelving" in begin_refused(Verb.PROTECT, resource)
    wait_until(lambda: sdk.compute.get_server(server).status == "SHELVED_OFFLOADED")
    assert "is in state SHELVED_OFFLOADED" in begin_refused(Verb.PROTECT, resource)
    remove_server(sdk, server)
    assert "status 404" in begin_refused(Verb.PROTECT, resource)


def test_volume_in_a_state_without_snapshots_is_refused(
    sdk: Connection,
    admin_sdk: Connection,
    make_volume: Callable[..., str],
    begin_refused: Callable[..., str],
) -> None:
    volume = make_volume("volume")
    resource = Resource(VOLUME, volume)
    for status in ("creating", "error"):
        admin_sdk.block_storage.reset_volume_status(volume, status=status)
        assert f"is in state {status}" in begin_refused(Verb.PROTECT, resource)
    admin_sdk.block_storage.reset_volume_status(volume, status="available")
    remove_volume(sdk, volume)
    assert "status 404" in begin_refused(Verb.PROTECT, resource)


def test_encrypted_volume_is_refused(
    admin_sdk: Connection, own_type: Any, elsewhere: Connection, begin_refused: Callable[..., str]
) -> None:
    admin_sdk.block_storage.create_type_encryption(
        own_type,
        provider="luks",
        cipher="aes-xts-plain64",
        key_size=256,
        control_location="front-end",
    )
    volume = elsewhere.block_storage.create_volume(size=1, volume_type=own_type.name)
    for mode in ("cinder", "cindernative"):
        resource = Resource(VOLUME, volume.id)
        assert "is encrypted" in begin_refused(Verb.PROTECT, resource, cloud="elsewhere", mode=mode)


def test_project_with_an_unprotectable_member_is_refused(
    admin_sdk: Connection, elsewhere: Connection, begin_refused: Callable[..., str]
) -> None:
    storage = elsewhere.block_storage
    good, bad = [storage.create_volume(size=1, name=name) for name in ("good", "bad")]
    wait_until(lambda: all(volume.status == "available" for volume in storage.volumes()))
    admin_sdk.block_storage.reset_volume_status(bad.id, status="error")
    project = Resource(PROJECT, elsewhere.current_project_id)
    message = begin_refused(Verb.PROTECT, project, cloud="elsewhere")
    assert f"volume {bad.id} (bad) is in state error" in message
    assert good.id not in message


def test_quota_too_small_for_the_agents_copy_is_refused(
    admin_sdk: Connection, elsewhere: Connection, begin_refused: Callable[..., str]
) -> None:
    storage = elsewhere.block_storage
    volume = storage.create_volume(size=1)
    storage.wait_for_status(volume, "available")
    admin_sdk.block_storage.update_quota_set(elsewhere.current_project_id, volumes=1)
    message = begin_refused(Verb.PROTECT, Resource(VOLUME, volume.id), cloud="elsewhere")
    assert message == "Cinder's quota of volumes is 1, 1 are in use, and 1 more are needed"


@pytest.mark.parametrize("option", ["encrypt_pass_file", "incremental", "max_level"])
def test_options_of_freezer_that_lose_data_are_refused(
    harness: FreezerHarness, option: str
) -> None:
    given = {"backup_name": "nightly", option: "1"}
    with pytest.raises(InvalidDocument, match=rf"{option}: unknown"):
        run_operation(harness.runner(), Verb.PROTECT, Resource(VOLUME, str(uuid.uuid4())), given)


def move_backup(backup: Backup, harness: FreezerHarness, elsewhere: Connection) -> Backup:
    """Return a backup as one of the project elsewhere, where a scheduler is made known for it."""
    clients = f"{harness.sandbox.freezer_url}/v2/{elsewhere.current_project_id}/clients"
    node = {"client_id": harness.top, "hostname": backup.handle["hostname"], "uuid": harness.top}
    elsewhere.session.post(clients, json=node)
    return attrs.evolve(backup, scope=harness.backend(cloud="elsewhere").scope())


@pytest.mark.usefixtures("nothing_left")
def test_restore_of_a_server_beyond_the_quota_is_refused(
    elsewhere: Connection,
    admin_sdk: Connection,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
    harness: FreezerHarness,
    begin_refused: Callable[..., str],
) -> None:
    server = make_server("server", make_image("image"))
    backup = protect_resource(harness.runner(), Resource(SERVER, server))
    admin_sdk.compute.update_quota_set(elsewhere.current_project_id, instances=0)
    there = move_backup(backup, harness, elsewhere)
    message = begin_refused(Verb.RESTORE, there, cloud="elsewhere", scheduler=harness.top)
    assert "Nova's quota of instances is 0, 0 are in use, and 1 more are needed" in message
    assert_succeeded(run_operation(harness.runner(), Verb.DELETE, backup))


@pytest.mark.usefixtures("nothing_left")
def test_restore_of_a_server_without_flavor_and_network_is_refused(
    own_flavor: Any,
    own_network: Any,
    sdk: Connection,
    admin_sdk: Connection,
    make_server: Callable[..., str],
    harness: FreezerHarness,
    begin_refused: Callable[..., str],
) -> None:
    image = sdk.image.create_image(
        harness.top, data=bytes(512), disk_format="raw", container_format="bare"
    )
    server = make_server("server", image.id, flavor_id=own_flavor.id, networks=[own_network.id])
    backup = protect_resource(harness.runner(), Resource(SERVER, server))
    remove_server(sdk, server)
    admin_sdk.compute.delete_flavor(own_flavor)
    sdk.network.delete_network(own_network)
    message = begin_refused(Verb.RESTORE, backup)
    assert f"no flavor {harness.top!r}" in message
    assert f"no network {own_network.id}" in message
    assert_succeeded(run_operation(harness.runner(), Verb.DELETE, backup))


@pytest.mark.usefixtures("nothing_left")
def test_restore_of_a_volume_without_type_quota_or_target_is_refused(
    own_type: Any,
    elsewhere: Connection,
    sdk: Connection,
    admin_sdk: Connection,
    make_volume: Callable[..., str],
    harness: FreezerHarness,
    begin_refused: Callable[..., str],
) -> None:
    volume = make_volume("volume", volume_type=own_type.name)
    backup = protect_resource(harness.runner(), Resource(VOLUME, volume), mode="cindernative")
    admin_sdk.block_storage.reset_volume_status(volume, status="maintenance")
    message = begin_refused(Verb.RESTORE, backup, overwrite_volume=True)
    assert f"volume {volume} is in state maintenance" in message
    admin_sdk.block_storage.reset_volume_status(volume, status="available")

    there = move_backup(backup, harness, elsewhere)
    admin_sdk.block_storage.update_quota_set(elsewhere.current_project_id, gigabytes=0)
    message = begin_refused(Verb.RESTORE, there, cloud="elsewhere", scheduler=harness.top)
    assert "Cinder's quota of gigabytes is 0, 0 are in use, and 1 more are needed" in message

    remove_volume(sdk, volume)
    assert f"volume {volume} is gone" in begin_refused(Verb.RESTORE, backup, overwrite_volume=True)
    admin_sdk.block_storage.delete_type(own_type)
    assert f"no volume type {harness.top!r}" in begin_refused(Verb.RESTORE, backup)
    assert_succeeded(run_operation(harness.runner(), Verb.DELETE, backup))
