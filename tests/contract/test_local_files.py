"""Helpers for harnesses of backends of this machine."""

import os
from pathlib import Path
from typing import Any

import pytest

from karbor_backup_contract.local_files import list_paths


def test_directory_that_is_removed_meanwhile_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    for folder in (kept, gone):
        folder.mkdir()
        (folder / "file").write_text("")
    scan = os.scandir

    def scan_late(path: Any) -> Any:
        if Path(path) == gone:
            (gone / "file").unlink()
            gone.rmdir()
        return scan(path)

    monkeypatch.setattr(os, "scandir", scan_late)
    assert set(list_paths(tmp_path)) == {str(kept), str(kept / "file"), str(gone)}


def test_missing_directory_is_empty(tmp_path: Path) -> None:
    assert list_paths(tmp_path / "missing") == []
