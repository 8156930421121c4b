"""What the tests of the Freezer backend share."""

from collections.abc import Iterator

import pytest

from tests.backends.freezer.answering import AnsweringCloud


@pytest.fixture
def answering() -> Iterator[AnsweringCloud]:
    with AnsweringCloud() as cloud:
        yield cloud
