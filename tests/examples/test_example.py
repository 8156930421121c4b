"""The example keeps the contract where nothing is installed but karbor-backup."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.pages.blocks import Block
from tests.pages.checkouts import Checkout


def test_example_passes_the_contract_in_a_clean_environment(
    run_lines: Callable[[str, Path, Sequence[Block]], str],
    checkout: Checkout,
    marked_blocks: list[Block],
) -> None:
    folder = checkout.folder / "examples" / "tar"
    assert "tar 1.0: conformant" in run_lines("karbor-backup-tar", folder, marked_blocks)
