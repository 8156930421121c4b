"""Canaries: secrets that are planted and must turn up in nothing that is written."""

import logging
from pathlib import Path

import pytest

from karbor_backup_core import Operation, Progress, hookimpl
from karbor_backup_fake import FakeBackend
from tests.cli.command_runner import VOLUME, CommandRunner

_CANARY = "canary-5f1c/tweets+loudly"


@pytest.fixture
def guarded(command: CommandRunner) -> CommandRunner:
    """Return the command on a cloud that wants a secret, which stands in the configuration."""
    command.cloud.token = _CANARY
    with command.config.open("a") as file:
        file.write(f'token = "{_CANARY}"\n')
    command.config.chmod(0o600)
    return command


def _files_in_home(command: CommandRunner, home: Path) -> bytes:
    """Everything in the home directory but the configuration itself."""
    files = [path for path in home.rglob("*") if path.is_file() and path != command.config]
    assert command.database in files
    return b"".join(path.read_bytes() for path in files)


def test_no_secret_is_written_anywhere(guarded: CommandRunner, home: Path) -> None:
    backup = guarded.protect()
    said = [
        guarded(*arguments, *more)
        for more in ((), ("--json",), ("--debug",))
        for arguments in (
            ("protect", *VOLUME, "-o", "backup_name=one"),
            ("verify", backup),
            ("restore", backup, "-o", "restore_name=x"),
            ("show", backup),
            ("show", backup, "--document"),
            ("operations", "--all"),
            ("list",),
            ("backends", "--check"),
        )
    ]
    assert all(result.exit_code == 0 for result in said)
    assert all(_CANARY not in result.output for result in said)
    assert _CANARY.encode() not in _files_in_home(guarded, home)


def test_failure_message_of_a_backend_has_no_secret(
    guarded: CommandRunner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @hookimpl
    def leak(self: FakeBackend, operation: Operation) -> Progress:  # noqa: ARG001 - the contract's
        raise RuntimeError(f"refused: token={_CANARY}")

    monkeypatch.setattr(FakeBackend, "protect", leak)
    for more in ((), ("--json",), ("--debug",)):
        result = guarded("protect", *VOLUME, "-o", "backup_name=one", *more)
        assert result.exit_code == 1
        assert "refused: token=***" in result.output
        assert _CANARY not in result.output
    assert _CANARY.encode() not in _files_in_home(guarded, home)


def test_a_log_line_of_a_library_is_cleaned(
    guarded: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = FakeBackend.__init__

    def talkative(self: FakeBackend, *arguments: object, **keywords: object) -> None:
        logging.getLogger("some.library").debug("connecting with %s", _CANARY)
        made(self, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeBackend, "__init__", talkative)
    result = guarded("backends", "--debug")
    assert "connecting with ***" in result.stderr
    assert _CANARY not in result.output


def test_everybody_who_can_read_the_secrets_is_warned_of(guarded: CommandRunner) -> None:
    assert "warning" not in guarded("backends").stderr
    guarded.config.chmod(0o644)
    assert "everybody can read it" in guarded("backends").stderr
    guarded.config.write_text(
        guarded.config.read_text().replace(f'"{_CANARY}"', '{env = "CANARY"}')
    )
    assert "warning" not in guarded("backends").stderr
