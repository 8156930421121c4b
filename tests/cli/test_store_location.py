"""Where the store is: commands that read make none, and say plainly what is wrong with it."""

import json
import stat
from pathlib import Path

import pytest

from karbor_backup_core.stores._sql import filesystems
from tests.cli.command_runner import VOLUME, CommandRunner

PASSWORD = "canary-7f3a"  # noqa: S105 - it is planted to be searched for

_READING = {
    "list": ("list",),
    "operations": ("operations",),
    "show": ("show", "x"),
    "resume": ("resume",),
    "resume of one": ("resume", "x"),
    "cancel": ("cancel", "x"),
    "verify": ("verify", "x"),
    "restore": ("restore", "x", "-o", "restore_name=y"),
    "delete": ("delete", "x", "--yes"),
    "abandon": ("abandon", "x"),
    "purge": ("purge", "--older-than", "1h"),
}


@pytest.mark.parametrize("what", _READING)
def test_a_command_that_reads_makes_no_store(command: CommandRunner, what: str) -> None:
    result = command(*_READING[what])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"there is no store at {command.database}" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not command.database.parent.exists()


def test_with_json_a_missing_store_is_an_error_of_its_own_kind(command: CommandRunner) -> None:
    result = command("list", "--json")
    assert json.loads(result.stderr)["error"]["kind"] == "StoreNotFound"


def test_an_empty_file_is_no_store_and_another_programs_is_not_touched(
    command: CommandRunner,
) -> None:
    command.database.parent.mkdir()
    for content in (b"", b"x"):
        command.database.write_bytes(content)
        assert command("list").exit_code == 1
        assert command.database.read_bytes() == content


def test_the_default_place_is_made_for_the_owner_only(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = command.config.read_text().replace(f'url = "sqlite:///{command.database}"\n', "")
    command.config.write_text(text)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "new" / "state"))
    command.protect()
    for folder in ("new", "new/state", "new/state/karbor-backup"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_a_network_file_system_is_refused_until_the_configuration_takes_the_risk(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("41 1 0:52 / / rw,relatime - nfs4 server:/home rw\n")
    monkeypatch.setattr(filesystems, "MOUNTINFO", mounts)
    arguments = ("protect", *VOLUME, "-o", "backup_name=one")
    result = command(*arguments)
    assert result.exit_code == 2
    assert "nfs4" in result.stderr
    assert "risk_corruption_on_network_filesystem" in result.stderr
    assert not command.database.parent.exists()
    risky = "[store]\nrisk_corruption_on_network_filesystem = true"
    command.config.write_text(command.config.read_text().replace("[store]", risky))
    assert command(*arguments).exit_code == 0
    assert command("list").exit_code == 0


@pytest.mark.parametrize(
    "text",
    [
        'store = "{url}"\n',
        'backends = "{url}"\n',
        'policy = "{url}"\n',
        '[backends]\nmine = "{url}"\n',
        '[store]\nurl = ["{url}"]\n',
        '[store]\nurl = {{env = ["{url}"]}}\n',
        '[store]\nurl = {{"{url}" = 1}}\n',
        '[[store]]\nurl = "{url}"\n',
        '[store.url]\nurl = "{url}"\n',
        '[store]\nrisk_corruption_on_network_filesystem = "{url}"\n',
    ],
)
def test_no_password_is_quoted_where_something_else_was_wanted(
    command: CommandRunner, text: str
) -> None:
    command.config.write_text(text.format(url=f"postgresql://user:{PASSWORD}@host/database"))
    for arguments in (("list",), ("list", "--json"), ("list", "--debug")):
        result = command(*arguments)
        assert result.exit_code == 2
        assert PASSWORD not in result.stderr + result.stdout


def test_numbers_beyond_all_bounds_are_bad_input(command: CommandRunner, tmp_path: Path) -> None:
    huge = "0x" + "f" * 20_000
    command.config.write_text(f"[policy]\nlease = {huge}\n")
    assert command("list").exit_code == 2
    command.config.write_text(f"[policy]\nlease = {'9' * 5000}\n")
    assert command("list").exit_code == 2
    document = tmp_path / "options.json"
    for number in ("9" * 400, "9" * 5000, "1e999", "-1e999"):
        document.write_text(f'{{"backup_name": {number}}}')
        result = command("protect", *VOLUME, "--options", str(document))
        assert result.exit_code == 2, result.stderr
        assert result.stderr.count("\n") == 1
