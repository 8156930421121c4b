"""A sandbox of its own with the Freezer of every earlier release beside the newest one.

It is not the one that the other tests share: the agent of 18.0.0 wants Nova, Cinder and Glance in
the catalog, where they would mislead the others.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from sandbox import Sandbox
from sandbox.older_freezer import RELEASES, OlderFreezer, Release
from tests.e2e.freezer.harness import FreezerHarness
from tests.e2e.releases.table import recorder

ROOT: Final = Path(__file__).parents[3]
NEWEST: Final = "19.0.0"
TIMEOUT: Final = 600


@attrs.frozen
class SchedulerPair:
    """A scheduler with its agents, and the API that it takes its jobs from.

    Attributes:
        release: of the scheduler and the agent.
        is_beside_newest: whether the API is the newest one, and not of the same release.
    """

    release: Release
    is_beside_newest: bool

    @property
    def api(self) -> str:
        """The API's version."""
        return NEWEST if self.is_beside_newest else self.release.version


PAIRS: Final = [SchedulerPair(release, newest) for release in RELEASES for newest in (True, False)]


@attrs.define
class ReleaseHarness(FreezerHarness):
    """A harness whose jobs are run by an older scheduler, maybe behind an older API."""

    scheduler: str = ""
    endpoint: str = ""

    def configuration(self, **more: Any) -> dict[str, Any]:
        """Return the configuration of the sandbox's own harness, with that scheduler and API."""
        ours = {"scheduler": self.scheduler, "endpoint": self.endpoint}
        return super().configuration(**{**ours, **more})


def pytest_configure(config: pytest.Config) -> None:
    """Note what the tests show, for the table in the documentation."""
    config.pluginmanager.register(recorder())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for a pair with every pair; its docstring says what it shows."""
    if "pair" not in metafunc.fixturenames:
        return
    summary = (metafunc.function.__doc__ or "").rstrip(".")
    marks = [
        pytest.param(
            pair,
            id=f"{pair.release.version}-at-{pair.api}",
            marks=pytest.mark.shows_release(pair.release.version, pair.api, summary),
        )
        for pair in PAIRS
    ]
    metafunc.parametrize("pair", marks, scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run these tests only when they are asked for, and give them time."""
    item.add_marker(pytest.mark.releases)
    item.add_marker(pytest.mark.timeout(TIMEOUT))


@pytest.fixture(scope="session")
def releases_sandbox() -> Iterator[Sandbox]:
    with Sandbox.up(ROOT, instance=f"releases-{os.getpid()}") as own:
        yield own


@pytest.fixture
def older(releases_sandbox: Sandbox, pair: SchedulerPair) -> OlderFreezer:
    facts: OlderFreezer = releases_sandbox.part(pair.release.part)
    return facts


@pytest.fixture
def harness(
    releases_sandbox: Sandbox,
    older: OlderFreezer,
    pair: SchedulerPair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ReleaseHarness]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(releases_sandbox.clouds_yaml))
    harness = ReleaseHarness(
        releases_sandbox,
        tmp_path,
        scheduler=older.scheduler_beside_newest if pair.is_beside_newest else older.scheduler,
        endpoint=releases_sandbox.freezer_url if pair.is_beside_newest else older.freezer_url,
    )
    yield harness
    harness.close()


@pytest.fixture
def clean_harness(harness: ReleaseHarness) -> Iterator[ReleaseHarness]:
    """Yield a harness on which nothing may be left at the end."""
    yield harness
    assert harness.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}
    assert harness.left_on_disk() == []
