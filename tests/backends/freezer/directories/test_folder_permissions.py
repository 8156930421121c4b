"""Folders of storages that others may enter."""

from pathlib import Path

import pytest

from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.directories.folder_permissions import describe_open_folders


@pytest.mark.parametrize(("mode", "told"), [(0o755, True), (0o711, True), (0o750, False)])
def test_folder_open_to_others_is_reported_with_its_remedy(
    tmp_path: Path, mode: int, *, told: bool
) -> None:
    tmp_path.chmod(mode)
    storages = {"disk": {"kind": "local", "path": str(tmp_path)}}
    configuration = Configuration.from_document({"storages": storages})
    found = list(describe_open_folders(configuration.storages.values()))
    assert bool(found) is told
    assert all(f"chmod o-rwx {tmp_path}" in each for each in found)
