"""The harness of the tests on a real Freezer."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox
from tests.e2e.freezer.harness import FreezerHarness


@pytest.fixture
def make_harness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Sandbox], FreezerHarness]]:
    """Return what makes a harness on a sandbox; it is closed with the test."""
    with contextlib.ExitStack() as stack:

        def make(sandbox: Sandbox) -> FreezerHarness:
            monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(sandbox.clouds_yaml))
            harness = FreezerHarness(sandbox, tmp_path)
            stack.callback(harness.close)
            return harness

        yield make


@pytest.fixture
def harness(make_harness: Callable[[Sandbox], FreezerHarness], sandbox: Sandbox) -> FreezerHarness:
    return make_harness(sandbox)


@pytest.fixture
def clean_harness(harness: FreezerHarness) -> Iterator[FreezerHarness]:
    """Yield a harness on which nothing may be left at the end."""
    yield harness
    assert harness.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}
    assert harness.left_on_disk() == []
