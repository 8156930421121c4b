"""What an older Freezer lacks is found by the health check."""

from typing import Any

from karbor_backup_core import Verb
from tests.e2e.freezer.harness import assert_succeeded, protect_directory, run_operation
from tests.e2e.releases.conftest import ReleaseHarness


def test_check_names_the_limits(harness: ReleaseHarness, pair: Any) -> None:
    """What it lacks is named by `check`, once a backup has been made."""
    runner = harness.runner()
    backup = protect_directory(runner, harness.tree())
    health = harness.backend().health()
    assert health.ok
    limits = health.details["limits"]
    assert any("older than 19.0.0" in limit for limit in limits) is not pair.is_beside_newest
    assert any(f"freezer-agent {pair.release.version}" in limit for limit in limits)
    assert all(limit in health.summary for limit in limits)
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
