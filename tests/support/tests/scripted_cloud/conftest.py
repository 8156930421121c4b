"""A scripted cloud beside the sandbox's Keystone, looked at through openstacksdk."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from keystoneauth1.session import Session
from openstack.connection import Connection

from sandbox import Sandbox
from tests.support.scripted_cloud import CloudState, ScriptedCloud, keystone_login

SECONDS = 5.0


@attrs.define
class CloudHarness:
    """A scripted cloud whose time stands still until it is told to go by.

    Attributes:
        sandbox: whose Keystone says whom tokens are for.
        cloud: the cloud.
        sessions: those that are there already, by user: a token takes a third of a second.
        now: what time it is.
    """

    sandbox: Sandbox
    cloud: ScriptedCloud
    sessions: dict[str, Session]
    now: float = 1e9

    @property
    def state(self) -> CloudState:
        return self.cloud.state

    def connect(self, user: str = "demo") -> Any:
        """Connect to the cloud with an account."""
        if user not in self.sessions:
            account = self.sandbox.accounts[user]
            endpoints = self.cloud.endpoints()
            self.sessions[user] = keystone_login.open_session(
                self.sandbox.auth_url, account, endpoints
            )
        return Connection(session=self.sessions[user])

    def work(self) -> None:
        """Let the time go by that work takes."""
        self.now += SECONDS


@pytest.fixture(scope="session")
def scripted_cloud(sandbox: Sandbox) -> Iterator[ScriptedCloud]:
    with ScriptedCloud(sandbox.auth_url) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def sessions() -> dict[str, Session]:
    return {}


@pytest.fixture
def harness(
    sandbox: Sandbox, scripted_cloud: ScriptedCloud, sessions: dict[str, Session]
) -> CloudHarness:
    harness = CloudHarness(sandbox, scripted_cloud, sessions)
    scripted_cloud.renew(lambda: harness.now, SECONDS)
    return harness


@pytest.fixture
def demo(harness: CloudHarness) -> Any:
    """Return openstacksdk's connection with the account `demo`."""
    return harness.connect()
