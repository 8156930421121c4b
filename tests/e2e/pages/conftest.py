"""Readers of the pages: one in a checkout of its own, one with a Freezer and a scripted cloud."""

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest
from freezerclient.v2.client import Client

from karbor_backup_core import Resource
from karbor_backup_openstack.resource_types import SERVER, VOLUME
from sandbox import Sandbox
from tests.e2e.contract.scripted_harness import ScriptedEnvironment, SharedTokenSessions
from tests.e2e.contract.scripted_resources import ScriptedResources
from tests.pages.checkouts import Checkout
from tests.pages.reader import Reader
from tests.support.scripted_agent import ScriptedAgent
from tests.support.scripted_scheduler import ScriptedScheduler
from tests.support.wheels import Environment, WheelLibraries

_LOOK: Final = 0.2
"""Seconds between two looks of the scheduler's."""


@attrs.frozen
class Cloud:
    """A cloud with a Freezer, as an operator finds it.

    Attributes:
        reader: a reader whose `clouds.yaml` names it ``production``.
        scheduler: the scheduler that works in it; the sandbox's own knows nothing of it.
        storage: the folder in which the Freezer stores.
        volume: a volume in it.
        server: a server in it.
    """

    reader: Reader
    scheduler: str
    storage: Path
    volume: Resource
    server: Resource


@pytest.fixture
def reader(checkout: Checkout, wheel: Path, tmp_path: Path) -> Reader:
    """Return a reader in a checkout, with an empty environment that is active, and a new home."""
    environment = Environment.empty(tmp_path / "environment", tmp_path / "home")
    libraries = str(WheelLibraries.for_wheel(wheel).download())
    return Reader(
        checkout.folder,
        {**environment.program_environ, "PIP_FIND_LINKS": libraries, "PIP_QUIET": "1"},
        {"…/": f"{checkout.folder}/"},
    )


@pytest.fixture
def cloud(sandbox: Sandbox, environment_of_all: Environment, tmp_path: Path) -> Iterator[Cloud]:
    """Return a cloud: a real Keystone and Freezer API, and a scripted scheduler with a cloud."""
    folder, store = tmp_path / "reader", tmp_path / "store"
    folder.mkdir()
    name = f"pages-{uuid.uuid4().hex[:8]}"
    with ScriptedEnvironment.start(sandbox) as environment:
        session = SharedTokenSessions(environment).new_session()
        project = str(session.get_project_id())
        resources = ScriptedResources(tmp_path / "directories", environment.cloud.state, project)
        configured = environment_of_all.home / ".config" / "openstack" / "clouds.yaml"
        configured.parent.mkdir(parents=True)
        environment.write_clouds_yaml(configured)
        configured.write_text(configured.read_text().replace("  demo:", "  production:"))
        freezer = Client(session=session, endpoint=sandbox.freezer_url)
        agent = ScriptedAgent(store, socket.gethostname(), environment.cloud.state, project)
        scheduler = ScriptedScheduler(freezer, agent, client_id=name)
        with scheduler, scheduler.run_in_background(_LOOK):
            yield Cloud(
                Reader(folder, {**environment_of_all.program_environ}),
                name,
                store,
                resources.create(VOLUME, "db", b"the volume's"),
                resources.create(SERVER, "web", b"the server's"),
            )


@pytest.fixture
def environment_of_all(wheel: Path, tmp_path: Path) -> Environment:
    """Return an environment with the extras that the pages install, and a new home."""
    home = tmp_path / "home"
    home.mkdir()
    return Environment.get_cached(wheel, "cli,freezer", home)
