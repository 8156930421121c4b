"""What comes back, where, and what a restore never destroys."""

import os
from pathlib import Path

import pytest

from karbor_backup_core import Backup, Resource, Result, Verb
from karbor_backup_restic import FILE
from tests.e2e.restic.operations import ResticRunner


@pytest.fixture
def directory(runner: ResticRunner) -> Resource:
    resource = runner.directory("a folder: with -- 'odd' names")
    path = Path(resource.id)
    (path / "-rf").mkdir()
    (path / "-rf" / "line\nbreak").write_bytes(b"\x00\xff")
    (path / "-rf" / "line\nbreak").chmod(0o640)
    (path / "link").symlink_to("nowhere")
    os.link(path / "letter", path / "second name")
    (path / "-rf").chmod(0o550)
    return resource


@pytest.fixture
def backup(runner: ResticRunner, directory: Resource) -> Backup:
    return runner.protect(directory)


def restored_path(runner: ResticRunner, backup: Backup, **options: object) -> Path:
    operation = runner.succeed(Verb.RESTORE, backup, **options)
    assert operation.outcome is not None
    (resource,) = operation.outcome.resources
    return Path(resource.id)


def test_names_modes_times_and_links_come_back(
    runner: ResticRunner, directory: Resource, backup: Backup
) -> None:
    original, restored = Path(directory.id), restored_path(runner, backup)
    assert (restored / "-rf" / "line\nbreak").read_bytes() == b"\x00\xff"
    for name in (".", "-rf", "-rf/line\nbreak", "letter"):
        assert (restored / name).stat().st_mode == (original / name).stat().st_mode
        assert (restored / name).stat().st_mtime_ns == (original / name).stat().st_mtime_ns
    assert (restored / "link").readlink() == Path("nowhere")
    assert (restored / "letter").samefile(restored / "second name")
    assert runner.harness.inventory().bookkeeping == frozenset()
    assert not list(original.parent.glob(".karbor-backup-*"))


def test_file_comes_back_under_any_name(runner: ResticRunner, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("first")
    backup = runner.protect(Resource(FILE, str(tmp_path / "notes")))
    path = restored_path(runner, backup, path=str(tmp_path / "other name"))
    assert path.read_text() == "first"
    (tmp_path / "notes").write_text("second")
    assert restored_path(
        runner, backup, path=str(tmp_path / "notes"), replace=True
    ).read_text() == ("first")


def test_directory_that_is_lost_comes_back_under_its_own_path(
    runner: ResticRunner, directory: Resource, backup: Backup
) -> None:
    Path(directory.id).rename(f"{directory.id} lost")
    assert restored_path(runner, backup, path=directory.id) == Path(directory.id)
    assert Path(directory.id, "letter").read_text() == "Dear reader"


def test_empty_directory_is_restored_to(
    runner: ResticRunner, backup: Backup, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert (restored_path(runner, backup, path=str(tmp_path / "empty")) / "letter").exists()


def test_what_is_there_is_not_touched_unasked(
    runner: ResticRunner, directory: Resource, backup: Backup
) -> None:
    Path(directory.id, "new").write_text("kept")
    operation = runner.run(Verb.RESTORE, backup, path=directory.id)
    assert operation.outcome is not None
    assert operation.outcome.refused
    assert "replace=true" in operation.outcome.reason
    assert Path(directory.id, "new").read_text() == "kept"


def test_what_is_there_is_replaced_on_request(
    runner: ResticRunner, directory: Resource, backup: Backup
) -> None:
    Path(directory.id, "new").write_text("replaced")
    Path(directory.id, "letter").write_text("changed")
    restored_path(runner, backup, path=directory.id, replace=True)
    assert Path(directory.id, "letter").read_text() == "Dear reader"
    assert not Path(directory.id, "new").exists()
    assert not list(Path(directory.id).parent.glob(".karbor-backup-*"))


def test_replaced_directory_is_as_it_was_after_a_cancel(
    runner: ResticRunner, directory: Resource, backup: Backup
) -> None:
    Path(directory.id, "new").write_text("kept")
    operation_id = runner.begin_stalled(
        lambda: runner.begin(Verb.RESTORE, backup, path=directory.id, replace=True)
    )
    runner.runner.cancel(operation_id)
    operation = runner.wait(operation_id)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    assert Path(directory.id, "new").read_text() == "kept"
    assert not list(Path(directory.id).parent.glob(".karbor-backup-*"))


@pytest.mark.parametrize("name", ["repository", "jobs"])
def test_repository_and_jobs_are_not_restored_over(
    runner: ResticRunner, backup: Backup, name: str
) -> None:
    path = runner.harness.folder / name
    assert "uses itself" in runner.fail(Verb.RESTORE, backup, path=str(path / "new"))
    assert "is not replaced" in runner.fail(
        Verb.RESTORE, backup, path=str(runner.harness.folder), replace=True
    )


def test_link_is_not_followed(runner: ResticRunner, backup: Backup, tmp_path: Path) -> None:
    (tmp_path / "aim").mkdir()
    (tmp_path / "pointer").symlink_to("aim")
    reason = runner.fail(Verb.RESTORE, backup, path=str(tmp_path / "pointer"), replace=True)
    assert "symbolic link" in reason
    assert runner.fail(Verb.PROTECT, Resource(backup.resource.type, str(tmp_path / "pointer"))) == (
        f"{tmp_path / 'pointer'} is a symbolic link, of which nothing but the link would be "
        f"stored: protect {tmp_path / 'aim'}"
    )


def test_parent_that_is_missing_is_named(
    runner: ResticRunner, backup: Backup, tmp_path: Path
) -> None:
    reason = runner.fail(Verb.RESTORE, backup, path=str(tmp_path / "no" / "where"))
    assert f"there is no directory {tmp_path / 'no'}: make it" in reason


@pytest.mark.root
def test_directory_with_a_mounted_file_system_is_not_replaced(
    runner: ResticRunner, backup: Backup, small_disk: Path
) -> None:
    reason = runner.fail(Verb.RESTORE, backup, path=str(small_disk), replace=True)
    assert "is not replaced" in reason
