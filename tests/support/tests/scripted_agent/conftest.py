"""A scripted agent in a cloud that nobody asks over the network."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.support.scripted_agent import ScriptedAgent
from tests.support.scripted_cloud import CloudState, FakeResource, block_storage, compute
from tests.support.scripted_cloud.defaults import FLAVOR, IMAGE, NETWORK, create_defaults

PROJECT = "p1"
PREFIX = "0123456789abcdef0123456789abcdef-0_"


@attrs.frozen
class AgentHarness:
    """A cloud with an agent in it.

    Attributes:
        state: what there is.
        agent: works in it.
        folder: of the containers.
    """

    state: CloudState
    agent: ScriptedAgent
    folder: Path

    def action(self, action: str, **fields: str) -> dict[str, str]:
        place = {"storage": "local", "container": str(self.folder), "backup_name": "n"}
        return {"action": action, **place, "temp_resource_prefix": PREFIX, **fields}

    def volume(self, **asked: Any) -> FakeResource:
        with self.state.without_delay():
            volume = block_storage.new_volume(
                self.state, PROJECT, {"size": 1, "name": "v", **asked}
            )
        volume.content = b"content"
        return volume

    def server(self, **asked: Any) -> FakeResource:
        (flavor,), (image,) = (
            self.state.flavors.find_by_name(FLAVOR),
            self.state.images.find_by_name(IMAGE),
        )
        (network,) = self.state.networks.find_by_name(NETWORK)
        given = {"name": "s", "flavorRef": flavor.id, "networks": [{"uuid": network.id}]}
        with self.state.without_delay():
            asked = {"imageRef": image.id, **given, **asked}
            server = compute.new_server(self.state, PROJECT, asked)
        server.content = b"content"
        return server


@pytest.fixture
def cloud(tmp_path: Path) -> AgentHarness:
    state = CloudState(lambda: 1e9, 5)
    create_defaults(state)
    agent = ScriptedAgent(tmp_path / "store", "host", state, PROJECT)
    return AgentHarness(state, agent, tmp_path / "container")
