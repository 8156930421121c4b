"""Options from files and from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_cli._options import read_json_object, read_options
from karbor_backup_core import InvalidInput, Json

_INTEGERS = st.integers(-(2**63), 2**63 - 1)
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))

_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "label": {"type": ["string", "null"]},
        "count": {"type": "integer"},
        "sure": {"type": "boolean"},
    },
    "allOf": [{"properties": {"inner": {"$ref": "#/$defs/text"}}}],
    "$defs": {"text": {"type": "string"}},
}


@given(_TEXTS)
def test_text_stays_text_where_the_schema_wants_text(value: str) -> None:
    for key in ("name", "label", "inner"):
        assert read_options(None, [f"{key}={value}"], _SCHEMA) == {key: value}


@given(_INTEGERS | st.booleans() | st.none() | st.lists(_INTEGERS))
def test_anything_else_is_read_as_json(value: Any) -> None:
    assert read_options(None, [f"count={json.dumps(value)}"], _SCHEMA) == {"count": value}


def test_option_that_is_no_json_is_validated_as_text() -> None:
    assert read_options(None, ["sure=maybe", "unknown=x=y"], _SCHEMA) == {
        "sure": "maybe",
        "unknown": "x=y",
    }


def test_an_assignment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "options.json"
    file.write_text('{"name": "of the file", "count": 1}')
    options = read_options(str(file), ["name=typed"], _SCHEMA)
    assert options == {"name": "typed", "count": 1}


@pytest.mark.parametrize("assignment", ["", "=", "=5", "name"])
def test_an_assignment_needs_a_key_and_a_value(assignment: str) -> None:
    with pytest.raises(InvalidInput, match="KEY=VALUE"):
        read_options(None, [assignment], _SCHEMA)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"[1]", "not a JSON object"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_file_that_holds_no_object_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "options.json"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=fault):
        read_json_object(str(file))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_json_object(str(tmp_path / "none.json"))
