"""Streams that cannot write every character, are closed, or lead nowhere."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from karbor_backup_core import Result
from tests.cli.command_runner import VOLUME, CommandRunner

_NAME = "żółw ✓"
_PROTECT = ("protect", *VOLUME, "-o", "backup_name=one")
_ENCODINGS: Mapping[str, Mapping[str, str]] = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def _run(
    *arguments: str, environ: Mapping[str, str] | None = None, redirect: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, its streams redirected by a shell."""
    command = f'exec "$@" {redirect}'
    python = (sys.executable, "-m", "karbor_backup_cli")
    return subprocess.run(
        ["/bin/sh", "-c", command, "sh", *python, *arguments],
        env={**os.environ, **(environ or {})},
        capture_output=True,
        check=False,
    )


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("encoding", _ENCODINGS)
@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_protect_and_list_succeed_in_every_encoding(encoding: str, debug: tuple[str, ...]) -> None:
    environ = _ENCODINGS[encoding]
    protected = _run(*_PROTECT, "--name", _NAME, *debug, environ=environ)
    assert protected.returncode == 0, protected.stderr
    assert protected.stdout.startswith(b"protected OS::Cinder::Volume volume-1")
    listed = _run("list", *debug, environ=environ)
    assert listed.returncode == 0, listed.stderr
    (backup,) = json.loads(_run("list", "--json", environ=environ).stdout)["backups"]
    assert backup["resource"]["name"] == _NAME


def test_json_is_ascii_and_escapes_control_characters(command: CommandRunner) -> None:
    name = "a\x1b[2J\x7f\x9bé"
    assert command(*_PROTECT, "--name", name).exit_code == 0
    written = command("list", "--json").stdout
    assert written.replace("\n", "").isascii()
    assert written.replace("\n", "").isprintable()
    assert json.loads(written)["backups"][0]["resource"]["name"] == name


@pytest.mark.usefixtures("command")
def test_json_error_escapes_bytes_that_are_no_text() -> None:
    refused = _run("show", os.fsdecode(b"\xff"), "--json")
    assert refused.returncode == 2
    assert refused.stderr.isascii()
    assert "\udcff" in json.loads(refused.stderr)["error"]["message"].encode().decode(
        "unicode_escape"
    )


_LOST = {"closed": ">&-", "full": ">/dev/full"}


@pytest.mark.parametrize("redirect", _LOST)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_success_whose_output_is_lost_is_reported_with_its_id(
    command: CommandRunner, redirect: str, as_json: tuple[str, ...]
) -> None:
    ended = _run(*_PROTECT, *as_json, redirect=_LOST[redirect])
    (operation,) = command.open_store().operations()
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED
    assert ended.returncode == 4
    told = ended.stderr.decode()
    assert told.count("\n") == 1
    assert f"protect of OS::Cinder::Volume volume-1 succeeded (operation {operation.id}" in told
    assert "the standard output cannot be written" in told


def test_success_whose_reader_has_gone_is_reported_with_its_id(command: CommandRunner) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    python = (sys.executable, "-m", "karbor_backup_cli")
    ended = subprocess.run(
        [*python, *_PROTECT], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    (operation,) = command.open_store().operations()
    assert ended.returncode == 4
    assert operation.id in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "redirect"),
    [
        (("list",), "closed"),
        (("list", "--json"), "full"),
        # Where the output is closed, click writes its help nowhere.
        (("--help",), "full"),
        (("--version",), "full"),
    ],
)
def test_answer_that_is_lost_is_one_line_and_status_1(
    command: CommandRunner, arguments: tuple[str, ...], redirect: str
) -> None:
    assert command.protect()
    ended = _run(*arguments, redirect=_LOST[redirect])
    assert ended.returncode == 1
    assert ended.stderr.startswith((b"karbor-backup: ", b'{"error": '))
    assert ended.stderr.count(b"\n") == 1
    assert b"fault in karbor-backup" not in ended.stderr


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full"])
def test_lost_standard_error_changes_no_status(redirect: str) -> None:
    assert _run(*_PROTECT, "--debug", redirect=redirect).returncode == 0
    assert _run("show", "none", redirect=redirect).returncode == 2


@pytest.mark.parametrize("redirect", ["<&-", "<&- >&- 2>&-"])
def test_delete_with_a_closed_standard_input_is_refused(
    command: CommandRunner, redirect: str
) -> None:
    backup = command.protect()
    refused = _run("delete", backup, redirect=redirect)
    assert refused.returncode == 2
    assert (b"--yes" in refused.stderr) is (redirect == "<&-")
    assert refused.stderr.count(b"\n") <= 1
    assert len(command.json("list")["backups"]) == 1


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("redirect", ["<&-", "</dev/null"])
def test_options_from_a_closed_standard_input_are_refused(redirect: str) -> None:
    refused = _run("protect", *VOLUME, "--options", "-", redirect=redirect)
    assert refused.returncode == 2
    assert refused.stderr.startswith(b"karbor-backup: standard input: ")
    assert refused.stderr.count(b"\n") == 1


def test_store_is_not_written_through_a_closed_standard_output(command: CommandRunner) -> None:
    assert _run(*_PROTECT, "--debug", redirect=">&- 2>&-").returncode == 4
    assert len(command.json("list")["backups"]) == 1
