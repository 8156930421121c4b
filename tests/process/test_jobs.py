"""The directory of all jobs."""

from pathlib import Path

import pytest

from karbor_backup_core import BackendError, InvalidInput
from karbor_backup_process import ProcessJobs


def test_place_stays_the_same(tmp_path: Path) -> None:
    place = ProcessJobs(tmp_path / "jobs").prepare()
    assert ProcessJobs(tmp_path / "jobs").prepare() == place
    assert ProcessJobs(tmp_path / "jobs").read_place() == place
    assert ProcessJobs(tmp_path / "others").prepare().id != place.id


def test_place_is_unknown_before_the_first_job(tmp_path: Path) -> None:
    assert ProcessJobs(tmp_path / "jobs").read_place() is None
    assert not (tmp_path / "jobs").exists()


def test_directory_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs").chmod(0o777)
    with pytest.raises(BackendError, match="nobody else may write"):
        ProcessJobs(tmp_path / "jobs").prepare()


def test_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match="file/jobs"):
        ProcessJobs(tmp_path / "file" / "jobs").prepare()


@pytest.mark.parametrize("operation_id", ["", "..", "a/b", "a\n", "x" * 65, "*"])
def test_id_that_is_no_operation_s_is_refused(tmp_path: Path, operation_id: str) -> None:
    with pytest.raises(InvalidInput, match="not the id of an operation"):
        ProcessJobs(tmp_path).job(operation_id)
    with pytest.raises(InvalidInput, match="not the id of an operation"):
        ProcessJobs(tmp_path).jobs_of(operation_id)


def test_jobs_of_an_operation_are_in_the_order_of_its_phases(tmp_path: Path) -> None:
    jobs = ProcessJobs(tmp_path)
    for phase in (2, 10, 1):
        jobs.job("one", phase).directory.mkdir()
    jobs.job("one-more", 1).directory.mkdir()
    assert [job.directory.name for job in jobs.jobs_of("one")] == ["one.1", "one.2", "one.10"]


def test_directory_of_another_machine_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, machine = ProcessJobs(tmp_path / "jobs"), tmp_path / "machine-id"
    monkeypatch.setattr("karbor_backup_process._jobs._MACHINE_ID", machine)
    machine.write_text("one")
    place = jobs.prepare()
    assert jobs.read_place() == place
    machine.write_text("other")
    assert jobs.read_place() is None
    with pytest.raises(BackendError, match="another machine keeps its jobs there"):
        jobs.prepare()
