"""Archives as the real tar writes them for freezer-agent, read and compared."""

import bz2
import gzip
import io
import os
import socket
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from karbor_backup_freezer.inspection.archive import ArchiveNotRead
from karbor_backup_freezer.inspection.contents import (
    MAX_NAMES,
    ArchiveContents,
    describe_missing,
    read_contents,
)

NOTES = {"compression": "gzip", "encryption": False}


def make_archive(tree: Path, *more: str) -> bytes:
    """Return what the agent stores of a directory, without its compression."""
    manifest = tree.parent / "manifest"
    manifest.unlink(missing_ok=True)
    command = ["tar", "--create", "--warning=none", "--ignore-failed-read", "--one-file-system"]
    listed = f"--listed-incremental={manifest}"
    done = subprocess.run(
        [*command, listed, *more, "-f", "-", "-C", tree, "."], check=True, stdout=subprocess.PIPE
    )
    return done.stdout


def read_archive(plain: bytes, pack: Callable[[bytes], bytes] = gzip.compress) -> ArchiveContents:
    return read_contents(io.BytesIO(pack(plain)), NOTES)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "inner" / "deep").mkdir(parents=True)
    (tree / "file").write_bytes(b"x" * 3000)
    (tree / os.fsdecode(b"odd \xff\n")).touch()
    (tree / "inner" / ("long" * 50)).write_bytes(b"y")
    (tree / "link").symlink_to("l" * 150)
    (tree / "hard").hardlink_to(tree / "file")
    os.mkfifo(tree / "pipe")
    return tree


def test_complete_archive_has_no_missing_files(tree: Path) -> None:
    contents = read_archive(make_archive(tree))
    assert contents == ArchiveContents(member_count=8)
    assert describe_missing(contents) == ""
    packed = bz2.compress(make_archive(tree))
    assert read_contents(io.BytesIO(packed), {"compression": "bzip2"}) == contents


def test_listed_but_unstored_file_is_missing(tree: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tree / "sock"))
        contents = read_archive(make_archive(tree, "--exclude=./inner/deep"))
    assert contents.missing == ("inner/deep", "sock")
    assert describe_missing(contents).endswith(": inner/deep, sock")


def test_names_beyond_the_limit_are_counted(tree: Path) -> None:
    for number in range(MAX_NAMES + 5):
        (tree / f"left {number:02}").touch()
    contents = read_archive(make_archive(tree, "--exclude=left*"))
    assert (len(contents.missing), contents.missing_count) == (MAX_NAMES, MAX_NAMES + 5)
    assert describe_missing(contents).endswith(" and 5 more")


def test_empty_directory_is_reported_as_empty(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    assert "empty when it was stored" in describe_missing(
        read_archive(make_archive(tmp_path / "tree"))
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:],
        lambda _: b"",
        lambda _: b"no archive",
        lambda _: gzip.compress(bytes(1024)),
        lambda whole: gzip.compress(gzip.decompress(whole)[:1024]),
        lambda whole: gzip.compress(b"\1" * 512 + gzip.decompress(whole)),
    ],
)
def test_damaged_archive_is_reported(tree: Path, damage: Callable[[bytes], bytes]) -> None:
    contents = read_contents(io.BytesIO(damage(gzip.compress(make_archive(tree)))), NOTES)
    assert contents.problem
    assert not contents.unread_reason


@pytest.mark.parametrize("notes", [None, {}, {"compression": "xz"}, NOTES | {"encryption": True}])
def test_archive_with_unknown_metadata_is_not_read(tree: Path, notes: object) -> None:
    contents = read_contents(io.BytesIO(gzip.compress(make_archive(tree))), notes)
    assert contents.unread_reason
    assert not contents.problem


def test_unknown_archive_format_is_not_assessed() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive_file:
        archive_file.addfile(tarfile.TarInfo("./" + "ü" * 120))
    assert "not known" in read_archive(packed.getvalue()).unread_reason


def test_callback_can_stop_the_reading(tree: Path) -> None:
    def stop() -> None:
        raise ArchiveNotRead("enough")

    packed = io.BytesIO(gzip.compress(make_archive(tree)))
    assert read_contents(packed, NOTES, stop).unread_reason == "enough"
