"""Karbor's API over Cinder's own backups, with the provider's file we ship and a scripted cloud."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from karbor_backup_core import Resource
from karbor_backup_openstack.resource_types import SERVER, VOLUME
from sandbox import Sandbox
from tests.e2e.contract.scripted_harness import ScriptedEnvironment
from tests.e2e.contract.scripted_resources import ScriptedResources
from tests.e2e.karbor.conftest import EXAMPLES
from tests.e2e.karbor.karbor_service import KarborService


@pytest.fixture
def environment(sandbox: Sandbox) -> Iterator[ScriptedEnvironment]:
    with ScriptedEnvironment.start(sandbox) as environment:
        yield environment


@pytest.fixture
def resources(
    environment: ScriptedEnvironment, sandbox: Sandbox, tmp_path: Path
) -> ScriptedResources:
    project = str(sandbox.session("demo").get_project_id())
    state = environment.cloud.state
    return ScriptedResources(tmp_path, state, project, boots_from_volume=True)


@pytest.fixture
def karbor(
    environment: ScriptedEnvironment, make_karbor: Callable[..., KarborService], tmp_path: Path
) -> KarborService:
    """Return a Karbor that has not been started, whose backends reach the scripted cloud."""
    clouds = tmp_path / "clouds.yaml"
    environment.write_clouds_yaml(clouds)
    return make_karbor({"OS_CLIENT_CONFIG_FILE": os.fspath(clouds)})


def add_provider(karbor: KarborService, folder: Path) -> str:
    """Install the provider's file, with the name of the cloud in a file of its own."""
    configuration = folder / "cinder.toml"
    configuration.write_text('cloud = "demo"\n')
    text = (EXAMPLES / "cinder.conf").read_text().replace("poll_interval = 20", "poll_interval = 1")
    named = text.replace(
        "# configuration_file = /etc/karbor/cinder.toml", "configuration_file = {}"
    )
    return karbor.add_provider("cinder", named.format(configuration))


def to_plan(resource: Resource) -> Mapping[str, str]:
    return {"type": resource.type, "id": resource.id, "name": resource.name}


def test_server_and_volume_are_protected_and_restored_without_freezer(
    karbor: KarborService, resources: ScriptedResources, tmp_path: Path
) -> None:
    provider = add_provider(karbor, tmp_path)
    karbor.start()
    server = resources.create(SERVER, "web", b"system")
    volume = resources.create(VOLUME, "data", b"accounts")
    before = set(resources.state.inventory)
    checkpoint = karbor.protect(provider, karbor.plan(provider, [to_plan(server), to_plan(volume)]))
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    assert len(list(resources.state.backups)) == 3
    for resource in (server, volume):
        resources.write(resource, b"changed")

    restored = karbor.restore(provider, checkpoint)
    assert restored["status"] == "success", restored
    added = set(resources.state.inventory) - before
    servers = [entry for entry in added if entry.startswith("server/")]
    volumes = [
        resources.state.volumes.get(entry.partition("/")[2])
        for entry in added
        if entry.startswith("volume/")
    ]
    assert len(servers) == 1
    assert sorted(each.content for each in volumes) == [b"accounts", b"system", b"system"]
    assert karbor.verify(provider, checkpoint)["status"] == "success"
    assert karbor.delete(provider, checkpoint) == "deleted"
    assert not list(resources.state.backups)


def test_volume_that_is_gone_is_refused_with_its_reason(
    karbor: KarborService, resources: ScriptedResources, tmp_path: Path
) -> None:
    provider = add_provider(karbor, tmp_path)
    karbor.start()
    missing = {"type": VOLUME, "id": "00000000-0000-4000-8000-000000000000", "name": "gone"}
    checkpoint = karbor.protect(provider, karbor.plan(provider, [missing]))
    assert karbor.wait_until_settled(provider, checkpoint) == "error"
    assert missing["id"] in karbor.log.read_text()
    assert not list(resources.state.backups)
