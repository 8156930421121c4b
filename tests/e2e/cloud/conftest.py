"""A real cloud for the whole run, and for each test a harness on it that leaves nothing behind."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from openstack.connection import Connection

from karbor_backup_core import Backend, MemoryStore, Operation, Resource, Runner
from sandbox import Sandbox, pytest_plugin
from sandbox.accounts import CLOUDS
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.harness import TIMEOUT
from tests.e2e.cloud.owned_resources import OwnedResources
from tests.e2e.cloud.table import recorder
from tests.e2e.freezer.harness import POLICY, FreezerHarness

ROOT: Final = Path(__file__).parents[3]
RUNNING: Final = "KARBOR_BACKUP_TEST_CLOUD"
"""The environment variable that names a sandbox which is up, to be used instead of a new one."""


def pytest_configure(config: pytest.Config) -> None:
    """Note what the tests show, for the table in the documentation."""
    config.pluginmanager.register(recorder())


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run these tests only when they are asked for, and give them time."""
    item.add_marker(pytest.mark.cloud)
    item.add_marker(pytest.mark.timeout(2 * TIMEOUT))
    # openstacksdk 4.22 warns of itself at every request, and of fields of Nova's.
    for kind in ("PendingDeprecationWarning", "DeprecationWarning"):
        item.add_marker(pytest.mark.filterwarnings(rf"ignore::{kind}:openstack\..*"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep apart the tests that wait for each other's project, so that workers seldom wait."""
    waiting = [each for each in items if each.path.name == "test_projects.py"]
    if waiting:
        others = [each for each in items if each not in waiting]
        distance = len(others) // len(waiting) + 1
        for number, each in enumerate(waiting):
            others.insert(number * distance, each)
        items[:] = others


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when its cloud, which was empty, is not empty again; then it is taken down."""
    attached = pytest_plugin.attach_if_up()
    if RUNNING in os.environ or attached is None or "cloud" not in attached.instance.state.parts:
        return
    left = {cloud: attached.cloud_test_tools.inventory(cloud) for cloud in CLOUDS}
    if any(left.values()):
        print(f"\nLeft in the cloud: {left}")  # noqa: T201 - beside pytest's own summary
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Sandbox:
    """Return the run's sandbox, with the part ``cloud``."""
    name = os.environ.get(RUNNING)
    instance: Sandbox
    instance = Sandbox.attach(ROOT, instance=name) if name else request.getfixturevalue("sandbox")
    instance.part("cloud")
    return instance


@pytest.fixture(autouse=True)
def _share_cloud(cloud: Sandbox, request: pytest.FixtureRequest) -> Iterator[None]:
    """Let tests run side by side in one cloud, except those that are marked ``alone``."""
    # Imported here: the filelock of older OpenStack releases lacks it, and pytest imports this file
    # also where it leaves out the tests on a whole cloud.
    from filelock import ReadWriteLock

    lock = ReadWriteLock(cloud.instance.layout.home / "tests.lock")
    alone = request.node.get_closest_marker("alone") is not None
    with lock.write_lock() if alone else lock.read_lock():
        yield


@pytest.fixture(scope="session")
def cloud_tools(cloud: Sandbox) -> CloudTestTools:
    """Return what users cannot do: look into disks, and break owned_resources."""
    return cloud.cloud_test_tools


@pytest.fixture
def sdk(cloud_tools: CloudTestTools) -> Iterator[Connection]:
    """Yield the cloud ``demo`` through openstacksdk."""
    with cloud_tools.connection() as connection:
        yield connection


@pytest.fixture
def admin_sdk(cloud_tools: CloudTestTools) -> Iterator[Connection]:
    """Yield the cloud ``admin`` through openstacksdk."""
    with cloud_tools.connection("admin") as connection:
        yield connection


@pytest.fixture
def harness(
    cloud: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FreezerHarness]:
    """Runners with the Freezer backend, all of whose containers have a name of the test's own."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.clouds_yaml))
    harness = FreezerHarness(cloud, tmp_path)
    yield harness
    harness.close()
    # A backup that a test keeps is its own, as its volumes are; one that must leave nothing says so
    # by `nothing_left`, which looks before this.
    for collection, identifiers in harness.left_in_freezer().items():
        for identifier in identifiers:
            harness.client().delete_entry(collection, identifier)


@pytest.fixture
def owned_resources(
    cloud_tools: CloudTestTools, sdk: Connection, harness: FreezerHarness
) -> Iterator[OwnedResources]:
    """Yield what the test has in the cloud; removed at its end."""
    owned_resources = OwnedResources(cloud_tools, sdk, harness.top)
    yield owned_resources
    owned_resources.remove_all()


@pytest.fixture
def make_image(owned_resources: OwnedResources) -> Callable[..., str]:
    return owned_resources.make_image


@pytest.fixture
def make_volume(owned_resources: OwnedResources) -> Callable[..., str]:
    return owned_resources.make_volume


@pytest.fixture
def make_server(owned_resources: OwnedResources) -> Callable[..., str]:
    return owned_resources.make_server


@pytest.fixture
def make_server_from_volume(owned_resources: OwnedResources) -> Callable[..., str]:
    return owned_resources.make_server_from_volume


@pytest.fixture
def register_created(
    owned_resources: OwnedResources,
) -> Callable[[Operation], tuple[Resource, ...]]:
    return owned_resources.made_by


@pytest.fixture
def nothing_left(harness: FreezerHarness, owned_resources: OwnedResources) -> Iterator[None]:
    """At the end of the test nothing is left in Freezer, on the storage or, by name, in the cloud.

    What the test itself has made is removed before that.
    """
    yield
    owned_resources.remove_all()
    named = {thing for thing in owned_resources.cloud_tools.inventory() if harness.top in thing[2]}
    assert named == set()
    assert harness.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}
    assert harness.left_on_disk() == []


@pytest.fixture
def make_cinder_runner(
    harness: FreezerHarness,  # noqa: ARG001 - it names the sandbox's clouds.yaml
) -> Iterator[Callable[..., Runner]]:
    """Yield a function that creates a runner as a new process has it, on the store of the others.

    Its argument is the name of the cloud, which is ``demo`` if there is none.
    """
    store = MemoryStore()
    runners: list[Runner] = []

    def make(cloud: str = "demo") -> Runner:
        backend = Backend.load("cinder", "cinder", {"cloud": cloud})
        runners.append(Runner(store, {"cinder": backend}, policy=POLICY))
        return runners[-1]

    yield make
    for runner in runners:
        runner.close()
