"""A harness with a new cloud for each test."""

import pytest

from tests.backends.fake.harness import DriverHarness


@pytest.fixture
def harness() -> DriverHarness:
    """Return a fake cloud with a driver before it."""
    return DriverHarness()
