"""What a restore has brought back, compared with archives as the real tar writes them."""

import gzip
import io
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from karbor_backup_freezer.directories.restored_contents import (
    describe_differences,
    restored_contents_check,
)
from karbor_backup_freezer.inspection.archive import ArchiveNotRead, BrokenArchive
from karbor_backup_freezer.inspection.contents import MAX_NAMES
from tests.backends.freezer.inspection.test_contents import NOTES, make_archive, tree

__all__ = ["tree"]


def compare(archive: bytes, folder: Path) -> str:
    return describe_differences(
        io.BytesIO(gzip.compress(archive)), lambda: None, notes=NOTES, folder=str(folder)
    )


def restore(archive: bytes, folder: Path) -> None:
    """Restore as the agent does."""
    folder.mkdir()
    command = ["tar", "--incremental", "--extract", "--unlink-first", "--preserve-permissions"]
    subprocess.run([*command, "-f", "-", "-C", folder], input=archive, check=True)


def test_tree_restored_by_tar_has_no_differences(tree: Path, tmp_path: Path) -> None:
    archive = make_archive(tree)
    restore(archive, tmp_path / "restored")
    assert compare(archive, tmp_path / "restored") == ""


def _remove(path: Path) -> None:
    path.unlink()


def _replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere")


def _replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _rewrite(path: Path) -> None:
    path.write_bytes(b"y" * path.stat().st_size)


def _add(path: Path) -> None:
    path.with_name("new").touch()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_remove, "in the backup and not restored: inner/name"),
        (_replace_by_link, "no file, as in the backup: inner/name"),
        (_replace_by_folder, "no file, as in the backup: inner/name"),
        (_append, "of another size than in the backup: inner/name"),
        (_rewrite, "of other content than in the backup: inner/name"),
        (lambda path: path.chmod(0o604), "of another mode than in the backup: inner/name"),
        (lambda path: path.parent.chmod(0o711), "of another mode than in the backup: inner"),
        (_add, "there and not in the backup: inner/new"),
    ],
)
def test_each_difference_is_named(
    tmp_path: Path, change: Callable[[Path], None], expected: str
) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    file = tree / "inner" / "name"
    # Longer than what is compared at once.
    file.write_bytes(b"x" * 2**19)
    archive = make_archive(tree)
    stored = file.stat()
    change(file)
    if file.exists() and not file.is_symlink():
        os.utime(file, ns=(stored.st_atime_ns, stored.st_mtime_ns))
    assert compare(archive, tree) == expected


def test_other_modification_time_is_reported(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "name").touch()
    archive = make_archive(tree)
    os.utime(tree / "name", (0, 0))
    assert compare(archive, tree) == "of another time of modification than in the backup: name"


@pytest.mark.parametrize("target", ["name", "/" + "long/" * 60])
def test_changed_links_are_reported(tmp_path: Path, target: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "name").write_bytes(b"x")
    (tree / "same").hardlink_to(tree / "name")
    (tree / "link").symlink_to(target)
    archive = make_archive(tree)
    assert compare(archive, tree) == ""

    (tree / "same").unlink()
    shutil.copy2(tree / "name", tree / "same")
    (tree / "link").unlink()
    (tree / "link").symlink_to("elsewhere")
    told = compare(archive, tree)
    assert told.startswith("a link to something else than in the backup: ")
    assert {"link", "same"} & set(told.partition(": ")[2].split(", ")) == {"link", "same"}


def test_unreadable_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "name").write_bytes(b"x")
    archive = make_archive(tree)

    def refuse(*_: object) -> int:
        # An ordinary user meets it by the file's mode; root never does.
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert compare(archive, tree) == "cannot be read by this user, and is not compared: name"


@pytest.mark.root
def test_changed_owner_and_group_are_reported(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "name").touch()
    archive = make_archive(tree)
    os.chown(tree / "name", 12345, 54321)
    assert compare(archive, tree) == (
        "of another owner than in the backup: name; of another group than in the backup: name"
    )


def test_names_beyond_a_limit_are_counted(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(MAX_NAMES + 7):
        (tree / f"{number:03}").touch()
    archive = make_archive(tree)
    shutil.rmtree(tree)
    tree.mkdir()
    differences = compare(archive, tree)
    assert "019" in differences
    assert "020" not in differences
    assert differences.endswith(" and 7 more")


def test_archive_that_is_cut_off_or_encrypted_is_not_compared(tree: Path) -> None:
    packed = gzip.compress(make_archive(tree))
    with pytest.raises(BrokenArchive):
        describe_differences(io.BytesIO(packed[:200]), lambda: None, notes=NOTES, folder=str(tree))
    secret = {"compression": "gzip", "encryption": True}
    with pytest.raises(ArchiveNotRead, match="encrypted"):
        describe_differences(io.BytesIO(packed), lambda: None, notes=secret, folder=str(tree))


class _Inspector:
    """Stands for what reads archives: here they cannot be read."""

    def read_directory(self, *_: object) -> str:
        raise ArchiveNotRead("archives on swift are not read")


@pytest.mark.parametrize(
    ("hostname", "why"),
    [
        ("elsewhere.example", "it was restored on host 'elsewhere.example'"),
        (socket.gethostname(), "archives on swift are not read"),
    ],
)
def test_directory_of_another_host_is_unverified(hostname: str, why: str) -> None:
    nothing: object = None
    check = restored_contents_check(
        _Inspector(),  # type: ignore[arg-type]
        nothing,  # type: ignore[arg-type]
        nothing,  # type: ignore[arg-type]
        nothing,  # type: ignore[arg-type]
        "/srv/data",
        hostname,
    )
    assert not check.verified
    assert check.reason.endswith(why)
