"""Archives that take longer to read than a call may take."""

import contextlib
import gzip
import tarfile
from pathlib import Path

import pytest

from karbor_backup_freezer.inspection.archive_reads import ArchiveReads, ReadInProgress
from karbor_backup_freezer.inspection.contents import ArchiveContents

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


def test_read_that_ends_in_time_is_returned_at_once(archive: Path) -> None:
    readings = ArchiveReads(grace=HANG)
    assert readings.get_contents(archive, NOTES) == ArchiveContents(member_count=1)
    assert readings.get_progress(archive.parent) is None


def test_longer_read_is_returned_by_a_later_call(archive: Path) -> None:
    readings = ArchiveReads(grace=0)
    with pytest.raises(ReadInProgress) as raised:
        readings.get_contents(archive, NOTES)
    size = archive.stat().st_size
    read = raised.value.progress
    assert 0 <= read.done <= read.total == size
    contents = None
    while contents is None:
        with contextlib.suppress(ReadInProgress):
            contents = readings.get_contents(archive, NOTES)
    assert contents == ArchiveContents(member_count=1)


def test_progress_counts_the_archive_below_a_container(archive: Path, tmp_path: Path) -> None:
    readings = ArchiveReads(grace=0)
    with pytest.raises(ReadInProgress):
        readings.get_contents(archive, NOTES)
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
