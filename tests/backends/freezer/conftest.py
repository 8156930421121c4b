"""What the tests of the Freezer backend share."""

from collections.abc import Iterator

import pytest

from tests.backends.freezer.answering import AnsweringCloud


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let openstacksdk 4.22 warn of itself: it does so at every request."""
    item.add_marker(pytest.mark.filterwarnings(r"ignore::PendingDeprecationWarning:openstack\..*"))


@pytest.fixture
def answering() -> Iterator[AnsweringCloud]:
    with AnsweringCloud() as cloud:
        yield cloud
