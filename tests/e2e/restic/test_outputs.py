"""The output of a command: whole or not at all, and back to a file or into a command."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import psutil
import pytest

from karbor_backup_core import Backup, Resource, Result, Verb
from karbor_backup_restic import OUTPUT
from tests.e2e.restic.operations import ResticRunner, failure
from tests.support.restic_harness import ResticHarness, kill
from tests.support.waiting import wait_until

SECRET = "canary-of-the-database"  # noqa: S105 - made for the tests

DUMP = Resource(OUTPUT, "orders", "orders")


def commands(folder: Path) -> dict[str, Any]:
    """Return commands for the configuration: a database's dump, and those that go wrong."""
    database, gate = folder / "database", folder / "gate"
    environment = {"PGPASSWORD": SECRET}

    def shell(script: str) -> dict[str, Any]:
        return {
            "arguments": ["/bin/sh", "-c", script],
            "restore": ["/bin/sh", "-c", f"cat >{database}.part && mv {database}.part {database}"],
            "environment": environment,
        }

    return {
        "orders": shell(f"cat {database}"),
        "half": shell(f"head -c 1000 {database}; echo out of $PGPASSWORD >&2; exit 3"),
        "slow": shell(f"head -c 1000 {database}; echo >{gate}; read go <{gate}; exit 3"),
        "unread": {**shell("echo data"), "restore": ["/bin/sh", "-c", "cat >&2; exit 4"]},
        "alone": {"arguments": ["echo", "data"]},
        "missing": {"arguments": ["/no/such/dump"]},
    }


@pytest.fixture
def database(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "gate")
    path = tmp_path / "database"
    path.write_bytes(os.urandom(3_000_000))
    return path


@pytest.fixture
def runner(restic: ResticHarness, database: Path) -> Iterator[ResticRunner]:
    with ResticRunner.open(restic, commands=commands(database.parent)) as runner:
        yield runner


@pytest.fixture
def backup(runner: ResticRunner) -> Backup:
    return runner.protect(DUMP)


def output(name: str) -> Resource:
    return attrs.evolve(DUMP, id=name)


def begin_slow(runner: ResticRunner, database: Path) -> str:
    """Start a protect of what waits at the gate; return its id when restic reads it."""
    operation_id = runner.begin(Verb.PROTECT, output("slow"))
    database.with_name("gate").read_text()
    # The command is started first, and may be at the gate before there is a restic.
    wait_until(lambda: readers(runner))
    return operation_id


def test_output_comes_back_as_a_new_file(
    runner: ResticRunner, backup: Backup, database: Path
) -> None:
    assert [check.name for check in backup.checks] == ["the command has ended well"]
    assert backup.handle["bytes"] == database.stat().st_size
    operation = runner.succeed(Verb.RESTORE, backup)
    assert operation.outcome is not None
    (resource,) = operation.outcome.resources
    path = Path(resource.id)
    assert path.parent == runner.harness.resources.outputs
    assert path.read_bytes() == database.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [it.name for it in path.parent.iterdir()] == [path.name]


def test_file_that_is_there_is_replaced_on_request_only(
    runner: ResticRunner, backup: Backup, database: Path
) -> None:
    there = database.with_name("there")
    there.write_text("kept")
    assert "replace=true" in runner.fail(Verb.RESTORE, backup, path=str(there))
    assert there.read_text() == "kept"
    runner.succeed(Verb.RESTORE, backup, path=str(there), replace=True)
    assert there.read_bytes() == database.read_bytes()


def test_output_goes_back_into_the_command_for_that(
    runner: ResticRunner, backup: Backup, database: Path
) -> None:
    content = database.read_bytes()
    database.unlink()
    runner.succeed(Verb.RESTORE, backup, into_command=True)
    assert database.read_bytes() == content
    assert list(runner.harness.resources.outputs.iterdir()) == []


def test_output_verifies_and_is_deleted(runner: ResticRunner, backup: Backup) -> None:
    operation = runner.succeed(Verb.VERIFY, backup)
    assert operation.outcome is not None
    assert operation.outcome.checks[2].verified
    runner.harness.damage(backup)
    assert runner.fail(Verb.VERIFY, backup).startswith("restic verify: ")
    assert runner.fail(Verb.RESTORE, backup, into_command=True).startswith("restic dump: ")
    runner.succeed(Verb.DELETE, backup)
    runner.assert_nothing_left()


def test_command_that_fails_half_way_makes_no_snapshot(
    runner: ResticRunner, caplog: pytest.LogCaptureFixture
) -> None:
    reason = runner.fail(Verb.PROTECT, output("half"))
    assert reason == "command half: it ended with exit status 3: out of ***"
    assert SECRET not in caplog.text
    runner.assert_nothing_left()


def test_command_that_is_killed_makes_no_snapshot(runner: ResticRunner, database: Path) -> None:
    operation_id = begin_slow(runner, database)
    kill(sources(runner))
    assert "command slow: it was ended by SIGKILL" in failure(runner.wait(operation_id))
    runner.assert_nothing_left()


@pytest.mark.parametrize("victims", ["supervisor", "restic", "all"])
def test_kills_leave_nothing_that_looks_whole(
    runner: ResticRunner, database: Path, victims: str
) -> None:
    operation_id = begin_slow(runner, database)
    if victims == "all":
        runner.harness.lose_work()
    elif victims == "restic":
        kill(readers(runner))
    else:
        kill(runner.supervisors())
        # The dump fails now, and nobody tells restic.
        database.with_name("gate").write_text("go on")
    assert "restic backup: it" in failure(runner.wait(operation_id))
    runner.assert_nothing_left()
    runner.protect(DUMP)
    assert len(runner.snapshots()) == 1


def test_cancel_stops_both(runner: ResticRunner, database: Path) -> None:
    operation_id = begin_slow(runner, database)
    runner.runner.cancel(operation_id)
    operation = runner.wait(operation_id)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    runner.assert_nothing_left()


def test_secrets_of_a_command_are_in_its_environment_alone(
    runner: ResticRunner, database: Path
) -> None:
    operation_id = begin_slow(runner, database)
    for process in runner.harness.processes():
        own = process in sources(runner)
        assert (process.environ().get("PGPASSWORD") == SECRET) == own, process
        assert SECRET not in " ".join(process.cmdline())
    for path in (runner.harness.jobs).rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    runner.runner.cancel(operation_id)
    runner.wait(operation_id)


def test_restore_command_that_fails_says_what_stays(runner: ResticRunner) -> None:
    backup = runner.protect(output("unread"))
    operation = runner.run(Verb.RESTORE, backup, into_command=True)
    assert failure(operation) == "command unread: it ended with exit status 4: data"
    (left,) = operation.leftovers
    assert (left.kind, left.id) == ("restored output", "unread")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("drop", "is no command of the backend's configuration, which has: alone, half, missing"),
        ("../orders", "is no command of the backend's configuration"),
        ("missing", "there is no program /no/such/dump: install it"),
    ],
)
def test_what_the_configuration_does_not_name_is_refused(
    runner: ResticRunner, name: str, reason: str
) -> None:
    operation = runner.run(Verb.PROTECT, output(name))
    assert operation.outcome is not None
    assert operation.outcome.refused
    assert reason in operation.outcome.reason
    runner.assert_nothing_left()


def test_unfit_restores_are_refused(runner: ResticRunner, backup: Backup, database: Path) -> None:
    alone = runner.protect(output("alone"))
    assert "has no 'restore'" in runner.fail(Verb.RESTORE, alone, into_command=True)
    both = {"into_command": True, "path": str(database)}
    assert "leave out path" in runner.fail(Verb.RESTORE, backup, **both)
    forged = attrs.evolve(backup, resource=output("unread"))
    assert "and not the output of unread" in runner.fail(Verb.RESTORE, forged, into_command=True)
    assert "lies in" in runner.fail(
        Verb.RESTORE, backup, path=str(runner.harness.repository / "config2")
    )


def sources(runner: ResticRunner) -> list[psutil.Process]:
    """Return the processes of the commands, which are no restic."""
    return [it for it in runner.restic_processes() if "RESTIC_PASSWORD_FILE" not in it.environ()]


def readers(runner: ResticRunner) -> list[psutil.Process]:
    """Return the processes of restic that read what the commands print."""
    return [it for it in runner.restic_processes() if "RESTIC_PASSWORD_FILE" in it.environ()]
