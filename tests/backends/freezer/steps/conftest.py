"""The stage of the tests of the verbs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.freezer.rebuild.scene import Cloud
from tests.backends.freezer.steps.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    cloud = Cloud()
    try:
        yield Stage.build(cloud, tmp_path)
    finally:
        cloud.close()
