"""The cloud of the tests of a rebuild."""

from collections.abc import Iterator

import pytest

from tests.backends.freezer.rebuild.scene import Cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    try:
        yield cloud
    finally:
        cloud.close()
