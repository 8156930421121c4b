"""A runner over a real restic."""

from collections.abc import Iterator

import pytest

from tests.e2e.restic.operations import ResticRunner
from tests.support.restic_harness import ResticHarness


@pytest.fixture
def runner(restic: ResticHarness) -> Iterator[ResticRunner]:
    """Operations on a repository of the test's own."""
    with ResticRunner.open(restic) as runner:
        yield runner
