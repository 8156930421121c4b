"""A real cloud for the whole run, and for each test a bench on it that leaves nothing behind."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from openstack.connection import Connection

from karbor_backup_core import Backup, Operation, Resource, Verb
from karbor_backup_core.runner import Runner
from sandbox import Sandbox, pytest_plugin
from sandbox.accounts import CLOUDS
from sandbox.openstack.lab import CloudLab
from tests.e2e.cloud.table import recorder
from tests.e2e.cloud.things import Things, until
from tests.e2e.freezer.conftest import Bench, succeeded

ROOT: Final = Path(__file__).parents[3]
RUNNING: Final = "KARBOR_BACKUP_TEST_CLOUD"
"""The environment variable that names a sandbox which is up, to be used instead of a new one."""

PATIENCE: Final = 900.0
"""Seconds after which a test no longer believes that an operation ends."""


def pytest_configure(config: pytest.Config) -> None:
    """Note what the tests show, for the table in the documentation."""
    config.pluginmanager.register(recorder())


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run these tests only when they are asked for, and give them time."""
    item.add_marker(pytest.mark.cloud)
    item.add_marker(pytest.mark.timeout(2 * PATIENCE))
    # openstacksdk 4.22 warns of itself at every request, and of fields of Nova's.
    for kind in ("PendingDeprecationWarning", "DeprecationWarning"):
        item.add_marker(pytest.mark.filterwarnings(rf"ignore::{kind}:openstack\..*"))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when its cloud, which was empty, is not empty again; then it is taken down."""
    found = pytest_plugin.running()
    if RUNNING in os.environ or found is None or "cloud" not in found.instance.state.parts:
        return
    left = {cloud: found.cloud_lab.inventory(cloud) for cloud in CLOUDS}
    if any(left.values()):
        print(f"\nLeft in the cloud: {left}")  # noqa: T201 - beside pytest's own summary
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Sandbox:
    """The run's sandbox, with the part ``cloud``."""
    name = os.environ.get(RUNNING)
    found: Sandbox
    found = Sandbox.attach(ROOT, instance=name) if name else request.getfixturevalue("sandbox")
    found.part("cloud")
    return found


@pytest.fixture(autouse=True)
def _company(cloud: Sandbox, request: pytest.FixtureRequest) -> Iterator[None]:
    """Let tests run side by side in one cloud, except those that are marked ``alone``."""
    # Imported here: the filelock of older OpenStack releases lacks it, and pytest imports this file
    # also where it leaves out the tests on a whole cloud.
    from filelock import ReadWriteLock

    lock = ReadWriteLock(cloud.instance.layout.home / "tests.lock")
    alone = request.node.get_closest_marker("alone") is not None
    with lock.write_lock() if alone else lock.read_lock():
        yield


@pytest.fixture(scope="session")
def lab(cloud: Sandbox) -> CloudLab:
    """What users cannot do: look into disks, and break things."""
    return cloud.cloud_lab


@pytest.fixture
def sdk(lab: CloudLab) -> Iterator[Connection]:
    """The cloud ``demo`` through openstacksdk."""
    with lab.connection() as connection:
        yield connection


@pytest.fixture
def admin_sdk(lab: CloudLab) -> Iterator[Connection]:
    """The cloud ``admin`` through openstacksdk."""
    with lab.connection("admin") as connection:
        yield connection


@pytest.fixture
def bench(cloud: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Runners with the Freezer backend, all of whose containers have a name of the test's own."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.clouds_yaml))
    bench = Bench(cloud, tmp_path)
    yield bench
    bench.close()
    # A backup that a test keeps is its own, as its volumes are; one that must leave nothing says so
    # by `nothing_left`, which looks before this.
    for collection, identifiers in bench.left_in_freezer().items():
        for identifier in identifiers:
            bench.client().delete(collection, identifier)


@pytest.fixture
def things(lab: CloudLab, sdk: Connection, bench: Bench) -> Iterator[Things]:
    """What the test has in the cloud; removed at its end."""
    things = Things(lab, sdk, bench.top)
    yield things
    things.remove()


@pytest.fixture
def make_image(things: Things) -> Callable[..., str]:
    return things.image


@pytest.fixture
def make_volume(things: Things) -> Callable[..., str]:
    return things.volume


@pytest.fixture
def make_server(things: Things) -> Callable[..., str]:
    return things.server


@pytest.fixture
def make_server_from_volume(things: Things) -> Callable[..., str]:
    return things.server_from_volume


@pytest.fixture
def made(things: Things) -> Callable[[Operation], tuple[Resource, ...]]:
    return things.made


@pytest.fixture
def nothing_left(bench: Bench, things: Things) -> Iterator[None]:
    """At the end of the test nothing is left in Freezer, on the storage or, by name, in the cloud.

    What the test itself has made is removed before that.
    """
    yield
    things.remove()
    named = {thing for thing in things.lab.inventory() if bench.top in thing[2]}
    assert named == set()
    assert bench.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}
    assert bench.left_on_disk() == []


def finish(runner: Runner, operation: Operation) -> Operation:
    """Wait for an operation to be over."""
    return runner.wait(operation.id, PATIENCE)


def run(
    runner: Runner,
    verb: Verb,
    target: Resource | Backup,
    options: Mapping[str, Any] | None = None,
    **more: Any,
) -> Operation:
    """Begin an operation and wait for it."""
    return finish(runner, runner.begin("freezer", verb, target, options or {}, **more))


def protect(runner: Runner, resource: Resource, **options: Any) -> Backup:
    """Protect a resource, and insist on success."""
    operation = run(runner, Verb.PROTECT, resource, {"backup_name": "nightly", **options})
    succeeded(operation)
    assert operation.outcome is not None
    assert operation.outcome.backup is not None
    return operation.outcome.backup


@attrs.frozen
class Verbs:
    """Functions for test modules, which cannot import this file."""

    run: Callable[..., Operation] = run
    finish: Callable[..., Operation] = finish
    protect: Callable[..., Backup] = protect
    succeeded: Callable[..., None] = succeeded
    until: Callable[[Callable[[], Any]], Any] = until


@pytest.fixture
def do() -> Verbs:
    return Verbs()
