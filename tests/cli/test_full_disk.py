"""A disk that is full is told in one line, loses nothing, and is gone on with afterwards."""

from pathlib import Path

import pytest

from tests.cli.command_runner import VOLUME, CommandRunner
from tests.support.disks import fill_disk

_PROTECT = ("protect", *VOLUME, "-o", "backup_name=one")
_REMEDY = "the disk is full: make room there"


@pytest.fixture
def command(command: CommandRunner, small_disk: Path) -> CommandRunner:
    """Return the command, with its store on a small disk and a short lease."""
    assert command.database.parent == small_disk
    text = command.config.read_text().replace("[policy]", "[policy]\nlease = 1")
    command.config.write_text(text)
    return command


@pytest.mark.root
def test_protect_on_a_full_disk_begins_nothing_and_succeeds_later(
    command: CommandRunner, small_disk: Path
) -> None:
    kept = command.protect()
    ballast = fill_disk(small_disk)
    refused = command(*_PROTECT)
    assert refused.exit_code == 1
    assert _REMEDY in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert command.cloud.started.keys() == {(kept, 1)}
    ballast.unlink()
    assert [each["id"] for each in command.json("list")["backups"]] == [kept]
    made = command.protect()
    assert {each["id"] for each in command.json("list")["backups"]} == {kept, made}


@pytest.mark.root
def test_new_store_on_a_full_disk_is_refused_and_made_later(
    command: CommandRunner, small_disk: Path
) -> None:
    ballast = fill_disk(small_disk)
    refused = command(*_PROTECT)
    assert refused.exit_code == 1
    assert _REMEDY in refused.stderr
    assert refused.stderr.count("\n") == 1
    ballast.unlink()
    assert command(*_PROTECT).exit_code == 0


@pytest.mark.root
def test_resume_continues_an_operation_that_a_full_disk_stopped(
    command: CommandRunner, small_disk: Path
) -> None:
    def fill(request: str) -> None:
        if request == "create_job done":
            fill_disk(small_disk)

    command.cloud.gate = fill
    failed = command(*_PROTECT)
    assert failed.exit_code == 1
    assert _REMEDY in failed.stderr
    assert failed.stderr.count("\n") == 1
    (small_disk / "ballast").unlink()
    command.cloud.gate = lambda _: None
    (operation,) = command.json("operations")["operations"]
    assert f"karbor-backup resume {operation['id']}" in failed.stderr
    assert command("resume", operation["id"]).exit_code == 0
    assert [each["id"] for each in command.json("list")["backups"]] == [operation["id"]]
    assert set(command.cloud.started.values()) == {1}
