"""A bench with a new cloud for each test."""

import pytest

from tests.backends.fake.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A fake cloud with a driver before it."""
    return Bench()
