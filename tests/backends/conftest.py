"""What the tests of the backends share."""

from collections.abc import Iterator

import pytest

from tests.backends.openstack.stub_cloud import StubCloud


@pytest.fixture
def stub_cloud() -> Iterator[StubCloud]:
    with StubCloud() as cloud:
        yield cloud
