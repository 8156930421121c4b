"""Attributes that a backup loses, of real files."""

import os
from pathlib import Path

from karbor_backup_freezer.directories.extended_attributes import MAX_NAMES, check_lost_attributes


def test_files_with_attributes_are_named_and_counted(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for number in range(MAX_NAMES + 1):
        path = tmp_path / "inner" / f"{number:02}"
        path.touch()
        os.setxattr(path, "user.colour", b"blue")
    check = check_lost_attributes(str(tmp_path))
    assert check is not None
    assert not check.verified
    assert " (user.colour)" in check.reason
    assert check.reason.endswith(" and 1 more")


def test_a_directory_without_attributes_needs_no_check(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    assert check_lost_attributes(str(tmp_path)) is None


def test_search_ends_at_its_time_limit(tmp_path: Path) -> None:
    moments = iter(range(0, 1000, 10))
    check = check_lost_attributes(str(tmp_path), 5, lambda: next(moments))
    assert check is not None
    assert "for 5 s only" in check.reason
