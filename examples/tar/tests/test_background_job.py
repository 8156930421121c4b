"""Work outside, looked at by several processes, and work that comes late."""

import fcntl
import time
from pathlib import Path

from karbor_backup_tar.backend import PACK
from karbor_backup_tar.background_job import BackgroundJob, JobState


def test_concurrent_poll_does_not_take_finished_work_for_running(
    tmp_path: Path,
) -> None:
    work = BackgroundJob(tmp_path / "work")
    work.start("true")
    _wait_for_end(work)
    with (work.folder / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert work.read_state() is JobState.DONE


def test_a_late_pack_replaces_no_archive(tmp_path: Path) -> None:
    archive, half = tmp_path / "archive", tmp_path / "half"
    archive.write_bytes(b"whole")
    directory = tmp_path / "directory"
    directory.mkdir()
    work = BackgroundJob(tmp_path / "work")
    work.start(PACK, tar="tar", archive=str(archive), half=str(half), directory=str(directory))
    _wait_for_end(work)
    assert work.read_state() is JobState.DONE
    assert archive.read_bytes() == b"whole"
    assert not half.exists()


def _wait_for_end(work: BackgroundJob) -> None:
    while work.read_state() is JobState.RUNNING:
        time.sleep(0.01)
