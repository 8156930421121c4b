"""The harness of the tests of the verbs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.freezer.restore.harness import RestoreHarness
from tests.backends.freezer.workflows.harness import WorkflowHarness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[WorkflowHarness]:
    cloud = RestoreHarness()
    try:
        yield WorkflowHarness.create(cloud, tmp_path)
    finally:
        cloud.close()
