"""Archives that take longer to read than a call may take."""

import contextlib
import gzip
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from karbor_backup_freezer.inspection.archive_reads import (
    ArchiveReads,
    ReadFunction,
    ReadInProgress,
)
from karbor_backup_freezer.inspection.contents import ArchiveContents, read_contents

NOTES = {"compression": "gzip", "encryption": False}
HANG = 120.0
"""Seconds that only a hang reaches."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive that is longer than what is read at a time."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(64 * 2**20)
    path = tmp_path / "container" / "archive"
    path.parent.mkdir()
    with (
        gzip.open(path, "wb", compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive_file,
    ):
        archive_file.addfile(tarfile.TarInfo("./"))
        archive_file.add(large, "./large")
    return path


@contextlib.contextmanager
def held_read() -> Iterator[ReadFunction[ArchiveContents]]:
    """Yield what reads an archive, and waits before it until the block is left."""
    let_go = threading.Event()

    def read(file: IO[bytes], go_on: Callable[[], None]) -> ArchiveContents:
        assert let_go.wait(HANG)
        return read_contents(file, NOTES, go_on)

    try:
        yield read
    finally:
        let_go.set()


def test_read_that_ends_in_time_is_returned_at_once(archive: Path) -> None:
    readings = ArchiveReads(grace=HANG)
    assert readings.get_contents(archive, NOTES) == ArchiveContents(member_count=1)
    assert readings.get_progress(archive.parent) is None


def test_longer_read_is_returned_by_a_later_call(archive: Path) -> None:
    readings = ArchiveReads(grace=0.05)
    with held_read() as read, pytest.raises(ReadInProgress) as raised:
        readings.read(archive, "", read)
    size = archive.stat().st_size
    seen = raised.value.progress
    assert 0 <= seen.done <= seen.total == size
    contents = None
    while contents is None:
        with contextlib.suppress(ReadInProgress):
            contents = readings.get_contents(archive, NOTES)
    assert contents == ArchiveContents(member_count=1)


def test_progress_counts_the_archive_below_a_container(archive: Path, tmp_path: Path) -> None:
    readings = ArchiveReads(grace=0)
    with held_read() as read:
        with pytest.raises(ReadInProgress):
            readings.read(archive, "", read)
        assert readings.get_progress(tmp_path / "another") is None
        still = readings.get_progress(archive.parent)
    assert still is not None
    assert still.total == archive.stat().st_size


def test_read_that_is_not_polled_is_stopped(archive: Path) -> None:
    contents = ArchiveReads(grace=HANG, unasked=-1).get_contents(archive, NOTES)
    assert "nobody has waited" in contents.unread_reason


def test_damaged_archive_is_reported_as_unreadable(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])
    assert (
        "cannot be read to its end" in ArchiveReads(grace=HANG).get_contents(archive, NOTES).problem
    )


def test_missing_archive_raises_to_the_caller(tmp_path: Path) -> None:
    readings = ArchiveReads(grace=HANG)
    with pytest.raises(FileNotFoundError):
        readings.get_contents(tmp_path / "none", NOTES)
