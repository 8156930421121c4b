"""What a person does with the command, from the first backup to the last."""

import json
from pathlib import Path

import pytest

from karbor_backup_core import Backup, Operation, Result, State
from karbor_backup_core.documents import from_document
from tests.cli.command_runner import VOLUME, CommandRunner


def test_a_backup_from_its_making_to_its_end(command: CommandRunner) -> None:
    content = command.cloud.read_content("volume-1")
    made = command("protect", *VOLUME, "-o", "backup_name=one")
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout.startswith("protected OS::Cinder::Volume volume-1\n")
    (backup,) = command.json("list")["backups"]
    assert backup["id"] in made.stdout

    restored = command("restore", backup["id"], "-o", "restore_name=again")
    assert restored.exit_code == 0, restored.stderr
    (again,) = [a for a in command.cloud.inventory.assets.values() if a.resource.name == "again"]
    assert again.resource.id in restored.stdout
    assert again.content == content

    assert command("verify", backup["id"]).exit_code == 0
    deleted = command("delete", backup["id"], "--yes")
    assert deleted.stdout.startswith("deleted the backup of OS::Cinder::Volume volume-1\n")
    assert command.json("list")["backups"] == []
    assert command.cloud.copies() == []
    assert command.cloud.jobs() == []


def test_a_backup_that_others_need_is_not_deleted(command: CommandRunner) -> None:
    first = command.json("protect", *VOLUME, "-o", "backup_name=one")["id"]
    options = ("-o", "backup_name=two", "-o", "incremental=true")
    second = command.json("protect", *VOLUME, *options)["id"]
    refused = command("delete", first, "--yes")
    assert refused.exit_code == 2
    assert refused.stderr == (
        f"karbor-backup: backup {first} is needed to restore others: delete those first, in this "
        f"order: {second}\n"
    )
    for backup in (second, first):
        assert command("delete", backup, "--yes").exit_code == 0
    assert command.cloud.copies() == []


def test_each_answer_is_one_json_document(command: CommandRunner) -> None:
    protected = from_document(Operation, command.json("protect", *VOLUME, "-o", "backup_name=one"))
    assert protected.outcome is not None
    assert (protected.state, protected.outcome.result) == (State.RELEASED, Result.SUCCEEDED)
    (listed,) = command.json("list")["backups"]
    assert from_document(Backup, listed) == protected.outcome.backup
    shown = command.json("show", protected.id)
    assert from_document(Backup, shown["backup"]) == protected.outcome.backup
    assert from_document(Operation, shown["operation"]) == protected
    (operation,) = command.json("operations")["operations"]
    assert from_document(Operation, operation) == protected
    assert command.json("verify", protected.id)["verb"] == "verify"
    assert command.json("resume") == {"operations": [], "errors": []}
    backends = command.json("backends", "--check")
    assert [each["name"] for each in backends["configured"]] == ["mine"]
    assert backends["configured"][0]["health"]["ok"] is True


def test_the_options_of_every_command_may_stand_before_it_too(command: CommandRunner) -> None:
    command.open_store()
    assert json.loads(command("--json", "list").stdout) == {"backups": [], "unreadable": []}


def test_the_beginning_of_an_id_is_enough(command: CommandRunner) -> None:
    backup = command.protect()
    assert command("verify", backup[:8]).exit_code == 0
    assert backup in command("show", backup[:8]).stdout


def test_a_document_alone_restores_where_nothing_is_stored(
    command: CommandRunner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = home / "backup.json"
    document.write_text(command("show", command.protect(), "--document").stdout)
    elsewhere = home / "elsewhere.toml"
    elsewhere.write_text(
        command.config.read_text().replace(str(command.database), str(home / "other.sqlite"))
    )
    monkeypatch.setenv("KARBOR_BACKUP_CONFIG", str(elsewhere))
    assert not (home / "other.sqlite").exists()
    result = command("restore", "--from", str(document), "-o", "restore_name=again")
    assert result.exit_code == 0, result.stderr
    piped = command("restore", "--from", "-", "-o", "restore_name=x", stdin=document.read_text())
    assert piped.exit_code == 0, piped.stderr


def test_a_member_of_a_backup_is_restored_alone(command: CommandRunner) -> None:
    project = command.json("protect", "OS::Keystone::Project", "project-1", "-o", "backup_name=p")
    command.cloud.remove_resource("volume-2")
    result = command(
        "restore", f"{project['id']}/volume-2", "-o", "restore_name=d", "-o", "in_place=true"
    )
    assert result.exit_code == 0, result.stderr
    assert command.cloud.read_content("volume-2") == b"rows of a database"
    assert "server-1" in command("show", project["id"]).stdout


def test_options_come_from_a_file_and_from_the_line(command: CommandRunner, home: Path) -> None:
    file = home / "options.json"
    file.write_text('{"backup_name": "of the file", "description": "kept"}')
    made = command.json("protect", *VOLUME, "--options", str(file), "-o", "backup_name=2026")
    assert made["options"] == {"backup_name": "2026", "description": "kept"}


def test_a_covered_resource_needs_nothing(command: CommandRunner) -> None:
    result = command("protect", "OS::Glance::Image", "image-1", "-o", "backup_name=i")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "nothing was stored" in result.stderr
    assert "is covered by the server that uses it" in result.stderr
    assert command.json("protect", "image", "image-1", status=3)["outcome"]["covered"]
    assert command.json("list")["backups"] == []


def test_a_deadline_is_kept(command: CommandRunner) -> None:
    made = from_document(
        Operation, command.json("protect", *VOLUME, "-o", "backup_name=o", "--deadline", "1h30m")
    )
    assert (made.deadline - made.created_at).total_seconds() == 5400


def test_all_unfinished_and_the_last_released_operations_are_listed(command: CommandRunner) -> None:
    backup = command.protect()
    for _ in range(11):
        command("verify", backup)
    assert len(command.json("operations")["operations"]) == 10
    assert len(command.json("operations", "--all")["operations"]) == 12


def test_tables_name_every_id_in_full(command: CommandRunner) -> None:
    backup = command.protect()
    for table in (command("list"), command("operations"), command("show", backup)):
        assert backup in table.stdout


def test_empty_list_prints_a_message(command: CommandRunner) -> None:
    command.open_store()
    assert command("list").stdout == "no backups\n"
    assert command("operations").stdout == "no operations\n"
    assert command("resume").stdout == "nothing to resume\n"


def test_backends_shows_what_each_can_do(command: CommandRunner) -> None:
    shown = command("backends").stdout
    assert "mine" in shown
    assert "OS::Cinder::Volume" in shown
    assert "backup_name (required)" in shown
    assert "covered by the server that uses it" in shown


def test_backends_prints_why_one_cannot_be_used(command: CommandRunner) -> None:
    with command.config.open("a") as file:
        file.write('[backends.gone]\nuse = "nowhere"\n[backends.bad]\nuse = "fake"\nclod = "x"\n')
    shown = command("backends")
    assert shown.exit_code == 1
    assert "no backend nowhere is installed" in shown.stdout
    assert "backends.bad.clod: unknown" in shown.stdout
    assert "$" not in shown.stdout
    table = shown.stdout.partition("\n\n")[0].splitlines()
    states = {line.split()[0]: line for line in table[1:]}
    assert "ready" in states["mine"]
    assert "cannot be used" in states["gone"]
    assert "cannot be used" in states["bad"]
    assert command("backends", "--check").exit_code == 1


@pytest.mark.parametrize("configuration", [None, "", "[store]\n"])
def test_backend_that_keeps_nothing_is_used_only_where_a_section_names_it(
    monkeypatch: pytest.MonkeyPatch, command: CommandRunner, configuration: str | None
) -> None:
    if configuration is None:
        monkeypatch.delenv("KARBOR_BACKUP_CONFIG")
    else:
        command.config.write_text(configuration)
    for arguments in (("protect", *VOLUME, "--backend", "fake"), ("contract", "fake")):
        result = command(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "only where the configuration has a section [backends.fake]" in result.stderr
    (line,) = [line for line in command("backends").stdout.splitlines() if " fake " in line]
    assert "ready" not in line
    assert "not configured" in line
    command.config.write_text("[backends.fake]\n")
    monkeypatch.setenv("KARBOR_BACKUP_CONFIG", str(command.config))
    assert command("protect", *VOLUME).exit_code == 0


def test_freezer_alone_is_used_without_a_section(command: CommandRunner) -> None:
    command.config.write_text("")
    listed = command("backends").stdout.partition("\n\n")[0].splitlines()[1:]
    assert [line.split()[0] for line in listed if "not configured" not in line] == ["freezer"]


def test_the_cloud_of_the_command_line_wins(command: CommandRunner) -> None:
    command.json("backends")
    made = command.json("protect", *VOLUME, "-o", "backup_name=one", "--os-cloud", "other")
    assert made["scope"] == "fake:other"


def test_a_backup_finds_the_backend_of_its_scope(command: CommandRunner) -> None:
    backup = command.protect()
    with command.config.open("a") as file:
        file.write('[backends.another]\nuse = "fake"\ncloud = "another"\n')
    command.config.write_text(command.config.read_text().replace('default_backend = "mine"', ""))
    assert command.json("verify", backup)["backend"] == "mine"


def test_maintenance_is_an_operation_like_any_other(command: CommandRunner) -> None:
    done = command("maintain", "prune")
    assert (done.exit_code, done.stdout) == (0, f"maintained fake:{command.cloud.name}: prune\n")
    document = command.json("maintain", "check", "--deadline", "1h")
    assert from_document(Operation, document).action == "check"
    assert "maintain  check  fake:" in command("operations").stdout
    assert "maintenance: prune" in command("backends").stdout
    assert command("options", "maintain", "prune").stdout == "maintain of prune takes no options\n"
    assert command.json("list")["backups"] == []


def test_maintenance_that_there_is_not_is_refused(command: CommandRunner) -> None:
    refused = command("maintain", "purne")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "did you mean 'prune'? its maintenance is: check, prune" in refused.stderr
    assert "no_such" in command("maintain", "prune", "-o", "no_such=1").stderr


def test_copy_is_a_backup_of_the_backend_that_has_it(command: CommandRunner) -> None:
    cloud = f'use = "fake"\ncloud = "{command.cloud.name}"\nvault = "offsite"\n'
    command.config.write_text(f"{command.config.read_text()}[backends.offsite]\n{cloud}")
    first = command.json("protect", "volume", "volume-1")["id"]
    copied = command("copy", first, "--to", "offsite")
    assert (copied.exit_code, copied.stderr) == (0, "")
    (copy,) = (each for each in command.json("list")["backups"] if each.get("copy_of"))
    assert copied.stdout == (
        "copied the backup of OS::Cinder::Volume volume-1\n"
        f"  backup    {copy['id']}\n  copy of   {first}\n"
    )
    assert "COPY OF" in command("list").stdout
    assert f"copy of      {first}" in command("show", copy["id"]).stdout
    command.cloud.lose_vault("")
    assert command("restore", copy["id"], "-o", "restore_name=again").exit_code == 0
    assert command("delete", copy["id"], "--yes").exit_code == 0


def test_copy_to_where_the_backup_is_already_is_refused(command: CommandRunner) -> None:
    first = command.json("protect", "volume", "volume-1")["id"]
    refused = command("copy", first, "--to", "mine")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"backup {first} is in fake:{command.cloud.name} already" in refused.stderr
    assert "Missing option '--to'" in command("copy", first).stderr
    assert "nowhere" in command("copy", first, "--to", "nowhere").stderr
