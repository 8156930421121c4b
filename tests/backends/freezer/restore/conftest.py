"""The cloud of the tests of a rebuild."""

from collections.abc import Iterator

import pytest

from tests.backends.freezer.restore.harness import RestoreHarness


@pytest.fixture
def cloud() -> Iterator[RestoreHarness]:
    cloud = RestoreHarness()
    try:
        yield cloud
    finally:
        cloud.close()
