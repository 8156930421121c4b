"""Actions on their way to the agent: nothing in one becomes another field, section or option."""

import configparser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import InvalidInput, printable
from karbor_backup_freezer.agent.action_validation import remove_invalid_fields, validate_action
from karbor_backup_freezer.agent.escaping import escape

RESTORE = {
    "action": "restore",
    "mode": "fs",
    "engine_name": "tar",
    "storage": "local",
    "container": "/srv/kb/1",
    "backup_name": "nightly",
    "hostname": "far",
    "restore_abs_path": "/srv/data",
    "overwrite": False,
}
TEXTS = ("container", "backup_name", "hostname", "restore_abs_path", "endpoint", "ssh_key")
SECTION = "\r[storage:x]\rstorage = local"
ATTACKS = [
    *(f"/a{end}restore_abs_path = /etc;id" for end in ("\r", "\n", "\r\n", "\v", "\f", "\x1c")),
    *(f"/a{end}evil = 1" for end in ("\x1d", "\x1e", "\x1f", "\x85", "\u2028", "\u2029")),
    f"/a{SECTION}",
    "/a%",
    "/a%(container)s",
    "/a\ud800",
    "/a\x00",
    "/a/$backup_name",
    "/a/${backup_name}",
    "/a/$$",
    "/a/\\$x",
    "None",
    "true",
    " /a",
    "/a\u00a0",
    "",
    "/" * 300,
]


def read_by_agent(folder: Path, action: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Write and read as freezer 19.0.0 does: text files with universal newlines."""
    file = folder / "action"
    written = configparser.ConfigParser()
    written.add_section("action")
    for field, value in action.items():
        written.set("action", field, str(value))
    with file.open("w", encoding="utf-8") as stream:
        written.write(stream)
    read = configparser.ConfigParser()
    read.read([file], encoding="utf-8")
    return {section: dict(read[section]) for section in read.sections()}


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_text_that_the_agent_would_misread_is_refused(field: str, attack: str) -> None:
    with pytest.raises(InvalidInput, match=field.replace("abs_", "(abs_)?")):
        validate_action({**RESTORE, field: attack})


@given(data=st.data())
def test_accepted_action_reaches_the_agent_unchanged(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    field = data.draw(st.sampled_from(TEXTS))
    text = data.draw(st.text(max_size=30) | st.text("\r\n%$ /.a=[]:#;\\{}", max_size=12))
    prefix = "/" if field in ("restore_abs_path", "ssh_key") else ""
    action = {**RESTORE, field: escape(f"{prefix}{text}")}
    try:
        accepted = validate_action(action)
    except InvalidInput:
        return
    read = read_by_agent(tmp_path_factory.mktemp("agent"), accepted)
    assert read.keys() == {"action"}
    assert read["action"].keys() == {*accepted}
    assert read["action"][field] == f"{prefix}{text}"


@pytest.mark.parametrize(
    "change",
    [
        {"action": "exec"},
        {"action": None},
        {"command": "id"},
        {"log_file": "/etc/passwd"},
        {"encrypt_pass_file": "/etc/shadow"},
        {"remove_older_than": "0"},
        {"restore_abs_path\r": "/srv"},
        {"mode": "mysql"},
        {"mode": ["fs"]},
        {"engine_name": "rsync"},
        {"storage": "disk"},
        {"container": "/srv/../etc"},
        {"container": "/srv//etc"},
        {"container": ["/srv"]},
        {"container": {"a": "b"}},
        {"hostname": "../far"},
        {"backup_name": "{resource_id}"},
        {"restore_abs_path": "/srv/$(id)"},
        {"restore_abs_path": "/srv/../etc"},
        {"restore_abs_path": "srv"},
        {"overwrite": "true"},
        {"timeout": True},
        {"timeout": -1},
        {"ssh_port": 70000},
        {"nova_inst_id": "a b"},
        {"nova_inst_id": "é"},
        {"cindernative_backup_id": "../x"},
    ],
)
def test_an_unknown_field_or_value_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        validate_action({**RESTORE, **change})


@pytest.mark.parametrize("days", ["-1", "1", 0, "0.5", "0 "])
def test_removal_by_age_is_refused(days: Any) -> None:
    removal = {"action": "admin", "container": "/srv/kb/1", "backup_name": "n/image-1"}
    assert validate_action({**removal, "remove_older_than": "0"})
    with pytest.raises(InvalidInput):
        validate_action({**removal, "remove_older_than": days})


@pytest.mark.parametrize(
    "secret", ["canary\rcommand = id", "canary$HOME", "canary\ud800", " canary"]
)
def test_unsupported_secret_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(InvalidInput, match="ftp_password") as refused:
        validate_action({**RESTORE, "ftp_password": secret})
    assert "canary" not in str(refused.value)


def test_job_description_is_printable() -> None:
    assert printable("a\r[x]\n\x1b[0m\ud800é") == "a\\r[x]\\n\\x1b[0m\\ud800é"


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_rewritten_action_drops_invalid_fields(field: str, attack: str) -> None:
    kept = {name: value for name, value in RESTORE.items() if name != field}
    changed = {**RESTORE, field: attack, "command": "id", "secret_key": None}
    assert remove_invalid_fields(changed) == kept
    assert validate_action(kept) == kept


@pytest.mark.parametrize("action", [{}, {"action": "exec", "command": "id"}, {"action": ["admin"]}])
def test_unknown_action_is_rewritten_as_a_no_op(action: dict[str, Any]) -> None:
    assert remove_invalid_fields(action) == {"action": "admin"}
