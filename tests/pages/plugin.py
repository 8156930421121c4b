"""Fixtures for the tests that run what the pages show."""

from pathlib import Path

import pytest

from tests.pages.blocks import Block, blocks_run_by
from tests.pages.checkouts import Checkout
from tests.support.wheels import ROOT


@pytest.fixture
def marked_blocks(request: pytest.FixtureRequest) -> list[Block]:
    """Return the blocks of the pages that name this test, of which there is one at least."""
    path = Path(request.path).relative_to(ROOT)
    blocks = blocks_run_by(f"{path}::{request.function.__name__}")
    assert blocks, "no page names this test"
    return blocks


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a copy of this checkout, with the environment that the tests run in."""
    return Checkout.copied(tmp_path / "karbor-backup")
