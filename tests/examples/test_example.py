"""The example keeps the contract where nothing is installed but the wheel."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.wheels import ROOT


def test_the_example_keeps_the_contract_in_a_clean_environment(
    run_tests_of: Callable[[str, Path], str], tmp_path: Path
) -> None:
    folder = tmp_path / "tar"
    shutil.copytree(ROOT / "examples" / "tar", folder)
    assert "tar 1.0: conformant" in run_tests_of("karbor-backup-tar", folder)
