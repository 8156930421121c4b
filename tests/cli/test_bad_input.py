"""Bad input and bad weather: one clear line, the right status, and nothing begun."""

import json
import os
from pathlib import Path

import pytest

from karbor_backup_core import Result, State
from karbor_backup_fake.faults import ANY, Busy, FailJob, Refused
from tests.cli.command_runner import VOLUME, CommandRunner
from tests.cli.fuzz import LONGEST_LINE

_PROTECT = ("protect", *VOLUME, "-o", "backup_name=one")

_WRONG = {
    "a command": (("frobnicate",), "No such command 'frobnicate': the commands are: abandon,"),
    "a command in other case": (("List",), "did you mean 'list'?"),
    "a verb": (("options", "protct", "volume"), "'protct': did you mean 'protect'? give one of"),
    "a verb in the plural": (("options", "Restores", "volume"), "did you mean 'restore'?"),
    "a type of options": (("options", "protect", "volumes"), "did you mean 'OS::Cinder::Volume'?"),
    # Click 8.2 and later quote it.
    "an option of a command": (("protect", "--backnd", "x"), "Did you mean "),
    "no arguments": (("protect",), "Missing argument 'TYPE'"),
    "an unknown option of the command": (("list", "--colour"), "No such option"),
    "a backend": ((*_PROTECT, "--backend", "nil"), "backend 'nil' is not configured"),
    "a backend in other case": ((*_PROTECT, "--backend", "MINE"), "did you mean 'mine'?"),
    "a backend for a restore": (("contract", "min"), "did you mean 'mine'?"),
    "a type": (("protect", "OS::Nova::Sever", "x"), "did you mean 'OS::Nova::Server'?"),
    "a short type": (("protect", "volum", "x"), "did you mean 'OS::Cinder::Volume'?"),
    "an unknown option": ((*_PROTECT, "-o", "backup_nam=x"), "did you mean 'backup_name'"),
    "an option in other case": ((*_PROTECT, "-o", "Backup-Name=x"), "did you mean 'backup_name'"),
    "all faults at once": (("protect", *VOLUME, "-o", "x=1"), "x: unknown"),
    "an option that is none": ((*_PROTECT, "-o", "word"), "KEY=VALUE"),
    "an option's file": ((*_PROTECT, "--options", "none.json"), "No such file"),
    "a deadline": ((*_PROTECT, "--deadline", "soon"), "is no duration"),
    "an id that is no text": (("protect", VOLUME[0], os.fsdecode(b"\xff")), "not UTF-8"),
    "a backup": (("restore", "none", "-o", "restore_name=x"), "backup 'none': there is none"),
    "no backup": (("restore",), "either a BACKUP or a document"),
    "a document": (("restore", "--from", "none.json"), "No such file"),
    "an operation": (("resume", "none"), "operation 'none': there is none"),
    "nothing of that id": (("show", "none"), "no such backup, and no such operation"),
    "a configuration": (("list", "--config", "none.toml"), "none.toml: there is no such file"),
}


def _is_one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith("\n") and text.startswith("karbor-backup: ")


@pytest.mark.parametrize("what", _WRONG)
def test_wrong_input_is_refused_in_one_line(command: CommandRunner, what: str) -> None:
    arguments, fault = _WRONG[what]
    command.open_store()
    result = command(*arguments)
    assert result.exit_code == 2
    assert fault in result.stderr
    assert _is_one_line(result.stderr)
    assert result.stdout == ""
    assert command.cloud.requests["create_job"] == 0


def test_with_json_a_fault_is_one_object_on_the_standard_error(command: CommandRunner) -> None:
    result = command("protect", *VOLUME, "-o", "x=1", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    error = json.loads(result.stderr)["error"]
    assert error["kind"] == "InvalidDocument"
    assert error["faults"] == [
        "$.x: unknown: remove it, or use one of: backup_name, description, incremental"
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = \n", "it is not TOML"),
        ("[polcy]\n", "polcy: unknown: did you mean 'policy'?"),
        ("[policy]\nDeadLine = 3\n", "DeadLine: unknown: did you mean 'deadline'?"),
        ('[store]\nurl = "postgres://u:hidden@h/d"\n', "did you mean 'postgresql'?"),
        ('[store]\nurl = "SQLlite:///x"\n', "did you mean 'sqlite'?"),
        ('[store]\nurl = "nonsense"\n', "the store's URL names no database"),
        ('[store]\nurl = {env = "UNSET"}\n', "UNSET"),
    ],
)
def test_a_malformed_configuration_is_refused(
    command: CommandRunner, text: str, fault: str
) -> None:
    command.config.write_text(text)
    result = command("list")
    assert result.exit_code == 2
    assert fault in result.stderr
    assert _is_one_line(result.stderr)


def test_faults_in_a_backends_section_are_placed_in_the_file(command: CommandRunner) -> None:
    with command.config.open("a") as file:
        file.write("clod = 1\nservice_seconds = -1\n")
    result = command(*_PROTECT)
    assert result.exit_code == 2
    assert str(command.config) in result.stderr
    assert "backends.mine.clod" in result.stderr
    assert "backends.mine.service_seconds" in result.stderr


def test_wrong_default_backend_is_refused_only_where_it_is_used(command: CommandRunner) -> None:
    text = command.config.read_text()
    command.config.write_text(text.replace('default_backend = "mine"', 'default_backend = "mien"'))
    refused = command(*_PROTECT)
    assert refused.exit_code == 2
    assert f"{command.config}: default_backend: backend 'mien' is not conf" in refused.stderr
    assert "did you mean 'mine'?" in refused.stderr
    assert _is_one_line(refused.stderr)
    listed = command("backends")
    assert (listed.exit_code, "mine" in listed.stdout) == (2, True)
    assert "did you mean 'mine'?" in listed.stderr
    assert command(*_PROTECT, "--backend", "mine").exit_code == 0
    assert command("list").exit_code == 0


def test_wrong_implementation_of_a_section_is_reported_with_its_place(
    command: CommandRunner,
) -> None:
    command.config.write_text('[backends.mine]\nuse = "fkae"\n')
    result = command(*_PROTECT)
    assert result.exit_code == 2
    assert f"{command.config}: backends.mine.use: no backend fkae is installed" in result.stderr
    assert "did you mean 'fake'?" in result.stderr
    assert _is_one_line(result.stderr)


def test_several_backends_need_a_name(command: CommandRunner) -> None:
    command.config.write_text('[backends.a]\nuse = "fake"\n[backends.b]\nuse = "fake"\n')
    result = command(*_PROTECT)
    assert result.exit_code == 2
    assert "there are: a, b" in result.stderr


def test_the_beginning_of_two_ids_is_not_enough(command: CommandRunner) -> None:
    first = command.protect()
    while command.protect()[0] != first[0]:
        pass
    result = command("show", first[0])
    assert result.exit_code == 2
    assert "begins 2 ids" in result.stderr


def test_a_backup_of_a_backend_that_is_not_there(command: CommandRunner, home: Path) -> None:
    document = json.loads(command("show", command.protect(), "--document").stdout)
    file = home / "backup.json"
    for change, status, fault in (
        ({"backend": "tape"}, 2, "made by backend tape"),
        ({"scope": "fake:elsewhere"}, 2, "belongs to fake:elsewhere"),
        ({"format": 99}, 2, "newer karbor-backup"),
        ({"extra": 1}, 2, "unknown"),
    ):
        file.write_text(json.dumps({**document, **change}))
        result = command("restore", "--from", str(file), "-o", "restore_name=x")
        assert (result.exit_code, fault in result.stderr) == (status, True), result.stderr
        assert _is_one_line(result.stderr)


def test_a_delete_that_nobody_can_be_asked_about_needs_yes(command: CommandRunner) -> None:
    backup = command.protect()
    result = command("delete", backup)
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert len(command.json("list")["backups"]) == 1


def test_unhealthy_service_prevents_the_run(command: CommandRunner) -> None:
    command.cloud.token = "something that the configuration does not hold"  # noqa: S105
    result = command(*_PROTECT)
    assert result.exit_code == 1
    assert "is not fit for work" in result.stderr
    assert _is_one_line(result.stderr)
    assert not command.database.exists()


@pytest.mark.parametrize("backup_first", [True, False])
def test_failed_work_is_status_1_and_one_line(
    command: CommandRunner, *, backup_first: bool
) -> None:
    arguments: tuple[str, ...] = _PROTECT
    if backup_first:
        arguments = ("restore", command.protect(), "-o", "restore_name=x")
    command.cloud.faults.plan("create_job", FailJob("the disk is full"), operation=ANY)
    result = command(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "failed: the disk is full" in result.stderr
    assert _is_one_line(result.stderr)
    *_, operation = command.open_store().operations()
    assert operation.outcome is not None
    assert (operation.state, operation.outcome.result) == (State.RELEASED, Result.FAILED)


def test_a_refusal_of_the_service_is_status_1(command: CommandRunner) -> None:
    command.cloud.faults.plan("create_job", Refused("quota exceeded"), operation=ANY)
    result = command(*_PROTECT, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["outcome"]["reason"] == "quota exceeded"


@pytest.mark.parametrize("text", ["x" * 100_000, "\x1b" * 100_000], ids=["plain", "escaped"])
def test_endless_reason_is_cut_before_the_id_of_the_operation(
    command: CommandRunner, text: str
) -> None:
    command.cloud.faults.plan("create_job", FailJob(text), operation=ANY)
    result = command(*_PROTECT)
    *_, operation = command.open_store().operations()
    assert result.stderr.endswith(f"(operation {operation.id})\n")
    assert _is_one_line(result.stderr)
    assert len(result.stderr) < LONGEST_LINE


def test_endless_value_of_a_document_is_cut(command: CommandRunner) -> None:
    document = json.loads(command("show", command.protect(), "--document").stdout)
    document["handle"]["version"] = dict.fromkeys(map(str, range(3000)), 1)
    result = command("restore", "--from", "-", "-o", "restore_name=x", stdin=json.dumps(document))
    assert result.exit_code == 1, result.stderr
    assert _is_one_line(result.stderr)
    assert len(result.stderr) < LONGEST_LINE


def test_weather_that_passes_is_waited_for(command: CommandRunner) -> None:
    command.cloud.faults.plan("create_job", Busy(), Busy(), operation=ANY)
    assert command(*_PROTECT).exit_code == 0
    assert not command.cloud.faults.unfired()


def test_names_cannot_write_on_the_terminal(command: CommandRunner) -> None:
    result = command(
        "protect", "OS::Glance::Image", "x", "--name", "a\x1b[2Jb\nc", "-o", "backup_name=x"
    )
    assert result.exit_code == 3
    assert "\x1b" not in result.stderr
    assert _is_one_line(result.stderr)


def test_a_store_that_cannot_be_used_is_status_1(command: CommandRunner) -> None:
    command.database.parent.mkdir()
    command.database.write_text("this is no database, and longer than a header of one\n" * 100)
    result = command("list")
    assert result.exit_code == 1
    assert str(command.database) in result.stderr
    assert _is_one_line(result.stderr)


def test_a_bug_is_one_line_and_debug_shows_where(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object, **_options: object) -> None:
        raise RuntimeError("a fault of ours")

    command.open_store()

    monkeypatch.setattr("karbor_backup_core.stores.sql.SQLStore.backups", broken)
    result = command("list")
    assert result.exit_code == 1
    assert "RuntimeError" in result.stderr
    assert "--debug" in result.stderr
    assert _is_one_line(result.stderr)
    told = command("list", "--debug").stderr
    assert "Traceback" in told
    assert "a fault of ours" in told


@pytest.mark.parametrize("text", [os.fsdecode(b"a\xff"), "a\ud800", "a\0b"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("protect", VOLUME[0], "{}"),
        ("protect", "{}", "x"),
        ("protect", *VOLUME, "--name", "{}"),
        ("protect", *VOLUME, "-o", "backup_name={}"),
        ("protect", *VOLUME, "-o", "{}=x"),
        ("protect", *VOLUME, "--backend", "{}"),
        ("show", "{}"),
        ("restore", "{}"),
        ("resume", "{}"),
    ],
)
def test_text_that_cannot_be_stored_is_refused(
    command: CommandRunner, arguments: tuple[str, ...], text: str
) -> None:
    result = command(*(each.replace("{}", text) for each in arguments))
    assert result.exit_code == 2
    assert ("not UTF-8" in result.stderr) or ("holds a NUL" in result.stderr)
    assert _is_one_line(result.stderr)
    assert command.cloud.requests["create_job"] == 0


_UNUSABLE = {
    "a lease beyond dates": '[policy]\nlease = "400000d"\n',
    "a lease beyond timers": '[policy]\nlease = "40d"\n',
    "a deadline beyond dates": '[policy]\ndeadline = "400000d"\n',
    "a wait beyond timers": "[policy]\npoll_limit = 1e300\n",
    "a share beyond numbers": "[policy]\npoll_share = inf\n",
    "no number": "[policy]\npoll_load = nan\n",
    "a long integer": f"[policy]\nattempts = {'9' * 5000}\n",
    "a long hexadecimal integer": f"[policy]\nattempts = 0x{'f' * 5000}\n",
    "deep arrays": f"a = {'[' * 5000}{']' * 5000}\n",
    "less deep arrays": f"a = {'[' * 90}{']' * 90}\n",
    "deep tables": f"[{'.'.join('a' * 90)}]\n",
    "many faults": "".join(f"k{number} = 1\n" for number in range(2000)),
}


@pytest.mark.parametrize("what", _UNUSABLE)
def test_configuration_that_cannot_be_computed_with_is_refused(
    command: CommandRunner, what: str
) -> None:
    command.config.write_text(_UNUSABLE[what])
    result = command("list")
    assert result.exit_code == 2
    assert _is_one_line(result.stderr)
    assert len(result.stderr) < 5000
    assert ("and 1980 more" in result.stderr) is (what == "many faults")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--deadline", "400000d"),
        ("--deadline", "9" * 5000),
        ("-o", f"x={'9' * 4000}"),
        ("-o", f"x={'[' * 100}{']' * 100}"),
        ("-o", "x=NaN"),
        ("--options", "x" * 5000),
        ("--options", "a\0b"),
        ("--config", "x" * 5000),
    ],
)
def test_option_that_cannot_be_computed_with_is_refused(
    command: CommandRunner, arguments: tuple[str, ...]
) -> None:
    result = command(*_PROTECT, *arguments)
    assert result.exit_code == 2
    assert _is_one_line(result.stderr)
    assert command.cloud.requests["create_job"] == 0
