"""A scripted agent in a cloud that nobody asks over the network."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from sandbox.scripted_agent import ScriptedAgent
from sandbox.scripted_cloud import Thing, World, disks, machines
from sandbox.scripted_cloud.furniture import FLAVOR, IMAGE, NETWORK, furnish

PROJECT = "p1"
PREFIX = "0123456789abcdef0123456789abcdef-0_"


@attrs.frozen
class Cloud:
    """A cloud with an agent in it.

    Attributes:
        world: what there is.
        agent: works in it.
        folder: of the containers.
    """

    world: World
    agent: ScriptedAgent
    folder: Path

    def action(self, action: str, **fields: str) -> dict[str, str]:
        place = {"storage": "local", "container": str(self.folder), "backup_name": "n"}
        return {"action": action, **place, "temp_resource_prefix": PREFIX, **fields}

    def volume(self, **asked: Any) -> Thing:
        with self.world.at_once():
            volume = disks.new_volume(self.world, PROJECT, {"size": 1, "name": "v", **asked})
        volume.content = b"content"
        return volume

    def server(self, **asked: Any) -> Thing:
        (flavor,), (image,) = self.world.flavors.named(FLAVOR), self.world.images.named(IMAGE)
        (network,) = self.world.networks.named(NETWORK)
        given = {"name": "s", "flavorRef": flavor.id, "networks": [{"uuid": network.id}]}
        with self.world.at_once():
            asked = {"imageRef": image.id, **given, **asked}
            server = machines.new_server(self.world, PROJECT, asked)
        server.content = b"content"
        return server


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    world = World(lambda: 1e9, 5)
    furnish(world)
    agent = ScriptedAgent(tmp_path / "store", "host", world, PROJECT)
    return Cloud(world, agent, tmp_path / "container")
