"""Documents that the command signs, and that it takes or refuses by their signature."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.command_runner import CommandRunner

NEW, OLD = "n" * 32, "o" * 32


@pytest.fixture(autouse=True)
def _set_keys(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("NEW_KEY", NEW)
    (home / "old.key").write_text(OLD)


def configure(command: CommandRunner, *keys: str, require: bool = False) -> None:
    """Put the section of documents at the end of the configuration, for the one that was there."""
    before = command.config.read_text().partition("\n[documents]")[0]
    written = {"new": '{env = "NEW_KEY"}', "old": f'{{file = "{command.config.parent}/old.key"}}'}
    section = f"keys = [{', '.join(written[key] for key in keys)}]\n"
    section += f"require_signature = {str(require).lower()}\n"
    command.config.write_text(f"{before}\n[documents]\n{section}")


def document_of(command: CommandRunner, backup: str) -> dict[str, Any]:
    shown = command("show", backup, "--document")
    assert shown.exit_code == 0, shown.stderr
    document: dict[str, Any] = json.loads(shown.stdout)
    return document


def restore(command: CommandRunner, document: dict[str, Any], name: str = "again") -> Result:
    return command(
        "restore", "--from", "-", "-o", f"restore_name={name}", stdin=json.dumps(document)
    )


def assert_refused(command: CommandRunner, result: Result, reason: str) -> None:
    """One line, exit status 2, and no operation was begun."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert reason in line
    verbs = [each["verb"] for each in command.json("operations", "--all")["operations"]]
    assert "restore" not in verbs


def test_signed_document_restores_where_signatures_are_required(command: CommandRunner) -> None:
    configure(command, "new", require=True)
    document = document_of(command, command.protect())
    assert document["signature"].startswith("hmac-sha256:")
    result = restore(command, document)
    assert (result.exit_code, result.stderr) == (0, "")


def test_documents_in_json_answers_are_signed_alike(command: CommandRunner) -> None:
    configure(command, "new", require=True)
    backup = command.protect()
    document = document_of(command, backup)
    assert command.json("show", backup)["backup"] == document
    assert command.json("list")["backups"] == [document]


def test_document_of_a_member_is_signed_on_its_own(command: CommandRunner) -> None:
    configure(command, "new", require=True)
    project = command.json("protect", "OS::Keystone::Project", "project-1", "-o", "backup_name=p")
    member = document_of(command, f"{project['id']}/volume-2")
    assert restore(command, member).exit_code == 0
    whole = document_of(command, project["id"])
    swapped = {**whole, "signature": member["signature"]}
    assert restore(command, swapped).exit_code == 2


def test_unsigned_document_is_refused_where_signatures_are_required(command: CommandRunner) -> None:
    document = document_of(command, command.protect())
    assert "signature" not in document
    configure(command, "new", require=True)
    assert_refused(command, restore(command, document), "documents.require_signature")


def test_unsigned_document_brings_a_warning_where_a_key_is_configured(
    command: CommandRunner,
) -> None:
    document = document_of(command, command.protect())
    assert restore(command, document, "silent").stderr == ""
    configure(command, "new")
    result = restore(command, document)
    assert result.exit_code == 0
    assert result.stderr == (
        "karbor-backup: warning: the document is not signed: anybody may have written it\n"
    )


@pytest.mark.parametrize("require", [False, True])
def test_changed_document_is_refused(command: CommandRunner, *, require: bool) -> None:
    configure(command, "new", require=require)
    document = document_of(command, command.protect())
    resource = {**document["resource"], "name": "another"}
    for changed in ({**document, "resource": resource}, {**document, "unknown": 1}):
        assert_refused(command, restore(command, changed), "signature: it does not fit")


def test_malformed_signature_is_refused_even_without_a_key(command: CommandRunner) -> None:
    document = document_of(command, command.protect())
    for signature in (None, "", "none", 7):
        result = restore(command, {**document, "signature": signature})
        assert_refused(command, result, "it is no signature")


def test_document_signed_elsewhere_restores_where_no_key_is_configured(
    command: CommandRunner,
) -> None:
    configure(command, "new")
    document = document_of(command, command.protect())
    configure(command)
    assert restore(command, document).exit_code == 0


def test_keys_are_rotated(command: CommandRunner) -> None:
    configure(command, "old", require=True)
    document = document_of(command, command.protect())
    configure(command, "new", "old", require=True)
    assert restore(command, document).exit_code == 0
    assert document_of(command, document["id"])["signature"] != document["signature"]


def test_retired_key_signs_nothing_any_more(command: CommandRunner) -> None:
    configure(command, "old", require=True)
    document = document_of(command, command.protect())
    configure(command, "new", require=True)
    assert_refused(command, restore(command, document), "not among documents.keys")


def test_key_that_is_not_there_is_one_line(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(command, "new")
    document = document_of(command, command.protect())
    monkeypatch.delenv("NEW_KEY")
    assert_refused(command, restore(command, document), "NEW_KEY")
    shown = command("show", document["id"], "--document")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "NEW_KEY" in shown.stderr


def test_requirement_without_a_key_is_a_fault_of_the_configuration(command: CommandRunner) -> None:
    configure(command, require=True)
    result = command("list")
    assert result.exit_code == 2
    assert "documents.require_signature: it needs a key" in result.stderr


def test_key_that_is_written_out_is_refused_and_not_quoted(command: CommandRunner) -> None:
    with command.config.open("a") as file:
        file.write(f'\n[documents]\nkeys = ["{NEW}"]\n')
    result = command("list")
    assert result.exit_code == 2
    assert "documents.keys[0]" in result.stderr
    assert NEW not in result.stderr


def test_key_is_masked_in_the_log(command: CommandRunner) -> None:
    configure(command, "new", "old")
    for key in (NEW, OLD):
        log = command("--debug", "protect", "volume", key, "-o", "backup_name=one").stderr
        told = [line for line in log.splitlines() if "resource_id=" in line]
        assert told
        assert all("resource_id=*** " in line for line in told)
