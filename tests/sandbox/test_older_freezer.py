"""The Freezer of earlier releases is pinned; that it runs is shown by tests/e2e/releases."""

import pytest

from sandbox.environments import REQUIREMENTS
from sandbox.older_freezer import RELEASES, Release
from sandbox.parts import PARTS


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.openstack)
def test_each_release_is_a_part_with_pinned_packages(release: Release) -> None:
    assert release.part in PARTS
    wanted = (REQUIREMENTS / f"{release.part}.in").read_text().splitlines()
    pinned = (REQUIREMENTS / f"{release.part}.txt").read_text().splitlines()
    for package in ("freezer", "freezer-api"):
        assert f"{package}=={release.version}" in wanted
        assert f"{package}=={release.version}" in pinned
    assert all("==" in line for line in pinned)
