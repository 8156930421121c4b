"""``karbor-backup options``: what each option may be, as the backend's schema says."""

from pathlib import Path
from typing import Any

import pytest

from karbor_backup_cli._option_table import options_from_schema
from karbor_backup_core import Json
from karbor_backup_fake._abilities import OPTIONS
from tests.cli.command_runner import CommandRunner


def test_each_option_stands_with_its_type_default_and_description(command: CommandRunner) -> None:
    result = command("options", "restore", "volume")
    assert (result.exit_code, result.stderr) == (0, "")
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["OPTION", "TYPE", "CHOICES", "DEFAULT", "REQUIRED", "DESCRIPTION"]
    (made,) = [row for row in rows if row.startswith("restore_name ")]
    assert "string" in made
    assert "made of the resource and the time" in made
    (flag,) = [row for row in rows if row.startswith("in_place ")]
    assert flag.split()[:5] == ["in_place", "boolean", "-", "false", "no"]
    assert flag.rstrip().endswith("Restore under the id of the old resource, which must be gone.")


@pytest.mark.parametrize("kind", ["volume", "VOLUME", "os::cinder::volume", "OS::Cinder::Volume"])
def test_json_has_the_same_for_every_way_to_write_the_type(
    command: CommandRunner, kind: str
) -> None:
    answer = command.json("options", "Protect", kind, "--backend", "mine")
    assert (answer["backend"], answer["verb"]) == ("mine", "protect")
    assert (answer["type"], answer["covered_by"]) == ("OS::Cinder::Volume", None)
    assert [each["name"] for each in answer["options"]] == [
        "backup_name",
        "description",
        "incremental",
    ]
    assert answer["options"][0]["required"] is True
    assert answer["options"][0]["made"] is True


def test_operation_without_options_is_reported_as_such(command: CommandRunner) -> None:
    assert command("options", "verify", "volume").stdout == (
        "verify of OS::Cinder::Volume takes no options\n"
    )


def test_a_covered_type_names_what_to_protect_instead(command: CommandRunner) -> None:
    told = command("options", "protect", "image").stdout
    assert "OS::Glance::Image is covered by the server that uses it" in told
    assert command.json("options", "protect", "image")["covered_by"] == "the server that uses it"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("protect", "volum"), "did you mean 'OS::Cinder::Volume'?"),
        (("protct", "volume"), "'protct': did you mean 'protect'?"),
        (("protect", "volume", "--backend", "other"), "'other' is not configured"),
        (("protect",), "Missing argument 'TYPE'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    command: CommandRunner, arguments: tuple[str, ...], told: str
) -> None:
    result = command("options", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_freezers_options_are_printed_without_a_reachable_cloud(
    command: CommandRunner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home / "freezer.toml"
    config.write_text('[backends.freezer.storages.disk]\nkind = "local"\npath = "/srv"\n')
    monkeypatch.setenv("KARBOR_BACKUP_CONFIG", str(config))
    (mode,) = [
        each
        for each in command.json("options", "protect", "volume")["options"]
        if each["name"] == "mode"
    ]
    assert (mode["types"], mode["choices"]) == (["string"], ["cinder", "cindernative"])
    assert mode["default"] == "cinder"
    assert "cindernative" in command("options", "protect", "volume").stdout


def test_command_suggested_by_a_message_is_accepted(command: CommandRunner) -> None:
    named = command.json("options", "protect", "volume")["options"]
    values = {"incremental": "true"}
    given = [f"{each['name']}={values.get(each['name'], 'x')}" for each in named]
    given = [part for each in given for part in ("-o", each)]
    assert command("protect", "volume", "volume-1", *given).exit_code == 0


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ({"type": ["integer", "null"]}, ("integer or null", "-", "-")),
        ({"enum": [1, "two", None]}, ("integer or string or null", "1, two, null", "-")),
        ({"const": "only"}, ("string", "only", "-")),
        ({"$ref": "#/$defs/size"}, ("integer", "-", "3")),
        ({"anyOf": [{"type": "string"}, {"type": "array"}]}, ("string or array", "-", "-")),
        ({"type": "array", "default": ["a"]}, ("array", "-", '["a"]')),
        ({"type": "string", "writeOnly": True, "default": "hidden"}, ("string", "-", "-")),
        ({}, ("any", "-", "-")),
    ],
)
def test_every_way_to_say_a_type_is_read(inner: Json, expected: tuple[str, ...]) -> None:
    schema = {"properties": {"one": inner}, "$defs": {"size": {"type": "integer", "default": 3}}}
    (option,) = options_from_schema(schema)
    assert option.row()[1:4] == expected


def test_options_of_a_branch_are_named_and_what_a_condition_requires_is_not_required() -> None:
    schema: dict[str, Any] = {
        "properties": {"mode": {"type": "string"}},
        "allOf": [{"required": ["mode"]}],
        "if": {"properties": {"mode": {"const": "copy"}}},
        "then": {"properties": {"target": {"type": "string"}}, "required": ["target"]},
    }
    required = {each.name: each.row()[4] for each in options_from_schema(schema)}
    assert required == {"mode": "yes", "target": "no"}


@pytest.mark.parametrize("schema", OPTIONS.values())
def test_no_option_of_a_schema_is_left_out(schema: Json) -> None:
    assert [each.name for each in options_from_schema(schema)] == list(schema["properties"])
