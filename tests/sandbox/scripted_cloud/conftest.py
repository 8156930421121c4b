"""A scripted cloud in the sandbox's catalog, looked at through openstacksdk as real clouds are."""

import os
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from keystoneauth1.session import Session
from openstack.connection import Connection

from sandbox import Sandbox
from sandbox.scripted_cloud import ScriptedCloud, World

SECONDS = 5.0


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let openstacksdk 4.22 warn of itself, which it does at every request."""
    item.add_marker(pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:openstack"))


@attrs.define
class Stage:
    """A scripted cloud whose time stands still until it is told to go by.

    Attributes:
        sandbox: whose Keystone it is registered in.
        cloud: the cloud.
        region: the region that it is registered in.
        sessions: those that are there already, by user: a token takes a third of a second.
        now: what time it is.
    """

    sandbox: Sandbox
    cloud: ScriptedCloud
    region: str
    sessions: dict[str, Session]
    now: float = 1e9

    @property
    def world(self) -> World:
        return self.cloud.world

    def connect(self, user: str = "demo") -> Any:
        """Connect to the cloud with an account."""
        if user not in self.sessions:
            self.sessions[user] = self.sandbox.session(user)
        return Connection(session=self.sessions[user], region_name=self.region)

    def work(self) -> None:
        """Let the time go by that work takes."""
        self.now += SECONDS


@pytest.fixture(scope="session")
def scripted_cloud(sandbox: Sandbox) -> Iterator[tuple[ScriptedCloud, str]]:
    region = f"scripted-{os.getpid()}"
    with ScriptedCloud(sandbox.auth_url) as cloud:
        cloud.register(region, sandbox.accounts["admin"])
        yield cloud, region


@pytest.fixture(scope="session")
def sessions() -> dict[str, Session]:
    return {}


@pytest.fixture
def stage(
    sandbox: Sandbox, scripted_cloud: tuple[ScriptedCloud, str], sessions: dict[str, Session]
) -> Stage:
    cloud, region = scripted_cloud
    stage = Stage(sandbox, cloud, region, sessions)
    cloud.renew(lambda: stage.now, SECONDS)
    return stage


@pytest.fixture
def demo(stage: Stage) -> Any:
    """A connection with the account `demo`, with openstacksdk's clients of the four services."""
    return stage.connect()
