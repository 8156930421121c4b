"""Folders of storages that others may enter."""

from pathlib import Path

import pytest

from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.directories.folder_permissions import describe_open_folders


@pytest.mark.parametrize(("mode", "is_reported"), [(0o755, True), (0o711, True), (0o750, False)])
def test_folder_open_to_others_is_reported_with_its_remedy(
    tmp_path: Path, mode: int, *, is_reported: bool
) -> None:
    tmp_path.chmod(mode)
    storages = {"disk": {"kind": "local", "path": str(tmp_path)}}
    configuration = Configuration.from_document({"storages": storages})
    reports = list(describe_open_folders(configuration.storages.values()))
    assert bool(reports) is is_reported
    assert all(f"chmod o-rwx {tmp_path}" in each for each in reports)
