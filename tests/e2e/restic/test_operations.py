"""Progress, checks, exact deletes, locks, places, and what a user is told."""

import os
import shutil
from pathlib import Path

import attrs
import pytest

from karbor_backup_contract import Fault
from karbor_backup_core import Amount, Driver, InvalidInput, Result, State, Verb, WrongPlace
from karbor_backup_restic import ResticBackend
from tests.e2e.restic.operations import ResticRunner, make_big
from tests.support.restic_harness import PASSWORD, ResticHarness
from tests.support.waiting import wait_until

HELD_PROGRESS = """
{ "$RESTIC" "$@"; echo $? >"$FAULTS/../status"; } | while IFS= read -r line; do
    printf '%s\\n' "$line"
    case $line in *'"bytes_done":'*) [ "$go" ] || read -r go <"$FAULTS/../gate";; esac
done
exit "$(cat "$FAULTS/../status")"
"""
# A real backup that tells no more than its first progress before somebody writes to the gate.


def test_progress_is_in_bytes_with_a_total(runner: ResticRunner) -> None:
    directory = runner.directory()
    make_big(Path(directory.id, "big"), 2**30)
    os.mkfifo(runner.harness.folder / "gate")
    runner.harness.plan_fault("HELD", "work", HELD_PROGRESS)
    operation_id = runner.begin(Verb.PROTECT, directory)
    wait_until(lambda: runner.store.operation(operation_id).amount.done)
    (runner.harness.folder / "gate").write_text("go on")
    operation = runner.wait(operation_id)
    size = 2**30 + len("Dear reader") + len("my files")
    assert operation.amount == Amount(size, size, "bytes")
    reported = [change.amount.done for change in runner.changes if change.amount.done]
    assert reported == sorted(reported)
    assert reported[0] < size


def test_delete_removes_exactly_its_snapshot(runner: ResticRunner) -> None:
    directory = runner.directory()
    first, second = runner.protect(directory), runner.protect(directory)
    runner.succeed(Verb.DELETE, first)
    (left,) = runner.snapshots()
    assert left["id"] == second.handle["snapshot"]


def test_snapshot_whose_tags_were_changed_is_still_the_backup(runner: ResticRunner) -> None:
    backup = runner.protect(runner.directory())
    runner.harness.restic("tag", "--add", "weekly")
    assert runner.snapshots()[0]["id"] != backup.handle["snapshot"]
    runner.succeed(Verb.RESTORE, backup)
    runner.succeed(Verb.DELETE, backup)
    assert runner.snapshots() == []


def test_delete_does_not_call_a_snapshot_without_its_tag_gone(runner: ResticRunner) -> None:
    backup = runner.protect(runner.directory())
    runner.harness.restic("tag", "--set", "weekly")
    assert "restore the tag" in runner.fail(Verb.DELETE, backup)
    assert len(runner.snapshots()) == 1


def test_verify_says_what_was_checked_and_what_was_not(runner: ResticRunner) -> None:
    backup = runner.protect(runner.directory())
    operation = runner.succeed(Verb.VERIFY, backup, read_percent=100)
    assert operation.outcome is not None
    verified = {check.name: check.verified for check in operation.outcome.checks}
    assert [name for name, seen in verified.items() if not seen] == ["files can be restored"]


def test_damaged_data_does_not_verify(runner: ResticRunner) -> None:
    backup = runner.protect(runner.directory())
    runner.harness.damage(backup)
    assert runner.fail(Verb.VERIFY, backup).startswith("restic verify: ")


def test_damage_to_other_data_of_the_repository_is_told(runner: ResticRunner) -> None:
    first, second = (runner.protect(runner.directory(name)) for name in ("first", "second"))
    runner.harness.damage(first)
    outcome = runner.succeed(Verb.VERIFY, second, read_percent=100).outcome
    assert outcome is not None
    reasons = {check.name: check.reason for check in outcome.checks if not check.verified}
    assert "contains errors" in reasons["repository is consistent"]
    assert "contains errors" in runner.fail(Verb.VERIFY, second, read_data=False, read_percent=100)


def test_file_that_cannot_be_read_fails_the_protect(runner: ResticRunner) -> None:
    directory = runner.directory()
    unreadable = Path(directory.id, "unreadable")
    unreadable.write_text("")
    if os.geteuid() == 0:
        pytest.skip("root can read everything")
    unreadable.chmod(0)
    assert "unreadable" in runner.fail(Verb.PROTECT, directory)
    runner.assert_nothing_left()
    backup = runner.protect(directory, allow_unreadable=True)
    (check,) = backup.checks
    assert not check.verified
    assert "unreadable" in check.reason


def test_locked_repository_is_waited_for(runner: ResticRunner) -> None:
    first, second = runner.directory("first"), runner.directory("second")
    backup = runner.protect(first)
    make_big(Path(second.id, "big"))
    protect = runner.begin(Verb.PROTECT, second)
    wait_until(lambda: runner.store.operation(protect).amount.done)
    delete = runner.begin(Verb.DELETE, backup)
    waiting = wait_until(lambda: runner.store.operation(delete).retry.last_error)
    assert "waits for the repository" in waiting
    assert "locked" in waiting
    runner.runner.cancel(protect)
    operation = runner.wait(delete)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED
    runner.wait(protect)
    runner.assert_nothing_left()


def test_release_waits_for_a_repository_that_others_use(runner: ResticRunner) -> None:
    harness = runner.harness
    harness.faults[Fault.IGNORES_CANCEL]()
    with harness.hold_repository():
        operation_id = runner.begin(Verb.PROTECT, runner.directory())
        wait_until(lambda: not harness.pending_faults())
        runner.runner.cancel(operation_id)
        reason = wait_until(lambda: waiting_for_release(runner, operation_id))
        assert "repository is already locked" in reason
    operation = runner.wait(operation_id)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    assert not operation.suspended
    assert [operation_id in snapshot["tags"] for snapshot in runner.snapshots()] == [False]


def waiting_for_release(runner: ResticRunner, operation_id: str) -> str:
    """Return what a release waits for, as soon as it waits for the repository."""
    operation = runner.store.operation(operation_id)
    waits = operation.retry.last_error.startswith("waits for the repository")
    return operation.retry.last_error if waits and operation.state is State.RELEASING else ""


def test_wrong_password_says_what_to_do(
    runner: ResticRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", "not-the-password")
    health = runner.harness.backend(password={"env": "OTHER"}).health()
    assert not health.ok
    assert "wrong password" in health.summary
    assert "not-the-password" not in str(health)


def test_repository_that_is_missing_says_what_to_do(restic: ResticHarness) -> None:
    shutil.rmtree(restic.repository)
    health = restic.backend().health()
    assert not health.ok
    assert str(restic.repository) in health.summary
    assert "mount it, or make it with 'restic init'" in health.summary


def test_repository_that_goes_away_while_restic_works_fails_the_protect(
    runner: ResticRunner,
) -> None:
    directory = runner.directory()
    operation_id = runner.begin_stalled(lambda: runner.begin(Verb.PROTECT, directory))
    away = runner.harness.repository.with_name("away")
    runner.harness.repository.rename(away)
    runner.runner.cancel(operation_id)
    suspended = runner.wait(operation_id)
    assert suspended.suspended
    assert "mount it" in suspended.retry.last_error
    away.rename(runner.harness.repository)
    runner.runner.resume(operation_id)
    assert not runner.wait(operation_id).suspended
    runner.assert_nothing_left()


def test_program_that_is_missing_says_what_to_do(restic: ResticHarness) -> None:
    health = restic.backend(program="/no/such/restic").health()
    assert (health.ok, health.summary) == (
        False,
        "/no/such/restic: there is no such program: install restic",
    )


def test_work_of_another_host_is_neither_lost_nor_started_again(runner: ResticRunner) -> None:
    operation_id = runner.begin_stalled(lambda: runner.begin(Verb.PROTECT, runner.directory()))
    operation = runner.store.operation(operation_id)
    assert operation.place is not None
    assert operation.place.host == os.uname().nodename
    jobs = runner.harness.folder / "jobs of another host"
    there = Driver(runner.store, {"restic": runner.harness.backend(jobs=str(jobs))})
    unowned = attrs.evolve(operation, lease=None)
    with pytest.raises(WrongPlace, match=f"its work is on host {os.uname().nodename}"):
        there.acquire(unowned)
    assert [path.name for path in jobs.iterdir()] == ["place.json"]
    runner.runner.cancel(operation_id)
    runner.wait(operation_id)
    runner.assert_nothing_left()


def test_repository_is_not_stored_in_itself(runner: ResticRunner) -> None:
    directory = runner.directory()
    inside = attrs.evolve(directory, id=str(runner.harness.folder))
    assert "stored in itself" in runner.fail(Verb.PROTECT, inside)
    runner.assert_nothing_left()


def test_jobs_are_not_stored(runner: ResticRunner) -> None:
    inside = attrs.evolve(runner.directory(), id=str(runner.harness.folder))
    backup = runner.protect(inside, exclude=[str(runner.harness.repository)])
    restored = runner.succeed(Verb.RESTORE, backup, path=f"{runner.harness.folder} restored")
    assert restored.outcome is not None
    path = Path(restored.outcome.resources[0].id)
    assert (path / "my files" / "letter").exists()
    assert not (path / "jobs").exists()
    assert not (path / "repository").exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"repository": "relative/path"}, "give an absolute path"),
        ({"repository": "rest:http://me:canary@host/"}, "holds a password"),
        ({"rest": {"user": "me", "password": "canary"}}, "credentials of a REST server"),
        ({"password_command": ["cat"]}, "name the repository's password once"),
    ],
)
def test_configuration_that_cannot_work_is_refused(
    restic: ResticHarness, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason) as refused:
        restic.backend(**changes)
    assert "canary" not in str(refused.value)


def test_password_may_come_from_a_file_or_a_command(restic: ResticHarness, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    assert restic.backend(password={"file": str(tmp_path / "password")}).health().ok
    configuration = restic.configuration(password_command=["cat", str(tmp_path / "password")])
    del configuration["password"]
    assert ResticBackend(configuration).check().ok


def test_password_command_that_fails_shows_nothing_of_what_it_printed(
    restic: ResticHarness,
) -> None:
    command = ["/bin/sh", "-c", "echo canary; echo canary >&2; exit 3"]
    configuration = restic.configuration(password_command=command)
    del configuration["password"]
    health = ResticBackend(configuration).check()
    assert not health.ok
    assert "password_command /bin/sh failed with exit status 3" in health.summary
    assert "canary" not in str(health)


@pytest.mark.root
def test_full_disk_is_named(runner: ResticRunner, small_disk: Path) -> None:
    shutil.copytree(runner.harness.repository, small_disk / "repository")
    with ResticRunner.open(runner.harness, repository=str(small_disk / "repository")) as small:
        directory = small.directory()
        Path(directory.id, "noise").write_bytes(os.urandom(4 * 2**20))
        assert "no space left on device" in small.fail(Verb.PROTECT, directory)
