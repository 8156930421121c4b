"""What text a plan's parameters are read from, as Karbor stores them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_glue._parameters import parse_parameters


def parse_one(subschema: dict[str, Any], value: Any) -> Any:
    return parse_parameters({"properties": {"option": subschema}}, {"option": value})["option"]


@pytest.mark.parametrize("text", ["True", "true", "TRUE", " yes ", "on", "1"])
def test_true_text_becomes_true_for_a_boolean(text: str) -> None:
    assert parse_one({"type": "boolean"}, text) is True


@pytest.mark.parametrize("text", ["False", "false", "no", "Off", "0"])
def test_false_text_becomes_false_for_a_boolean(text: str) -> None:
    assert parse_one({"type": "boolean"}, text) is False


@pytest.mark.parametrize(
    ("subschema", "text", "value"),
    [
        ({"type": "integer"}, "7", 7),
        ({"type": "integer", "minimum": 0}, "-7", "-7"),
        ({"type": "number"}, "0.5", 0.5),
        ({"type": "number"}, "nan", "nan"),
        ({"type": "number"}, "Infinity", "Infinity"),
        ({"type": "integer"}, "1" * 5000, "1" * 5000),
        ({"type": "string"}, "7", "7"),
        ({"type": "string"}, "True", "True"),
        ({"type": ["string", "null"]}, "None", "None"),
        ({"enum": ["cinder", "True"]}, "True", "True"),
        ({"enum": [1, 2]}, "2", 2),
        ({"type": "array", "items": {"type": "string"}}, "['a', 'b']", ["a", "b"]),
        ({"type": "array"}, '["a"]', ["a"]),
        ({"type": "array"}, "('a',)", "('a',)"),
        ({"type": "object"}, "{'deep': {'a': True}}", {"deep": {"a": True}}),
        ({"type": "object"}, "{" * 10000, "{" * 10000),
        ({"type": "boolean"}, "maybe", "maybe"),
        ({}, "7", "7"),
    ],
)
def test_text_is_converted_to_the_schemas_type(
    subschema: dict[str, Any], text: str, value: Any
) -> None:
    parsed = parse_one(subschema, text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_empty_value_is_omitted(empty: Any) -> None:
    schema = {"properties": {"option": {"type": "boolean"}}, "required": ["option"]}
    assert parse_parameters(schema, {"option": empty}) == {}


def test_other_values_than_text_are_unchanged() -> None:
    assert parse_one({"type": "boolean"}, False) is False


def test_references_inside_a_schema_are_resolved() -> None:
    schema = {"$defs": {"flag": {"type": "boolean"}}, "properties": {"o": {"$ref": "#/$defs/flag"}}}
    assert parse_parameters(schema, {"o": "False"}) == {"o": False}


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner | st.text()) | st.dictionaries(st.text(), inner | st.text()),
)


@given(VALUES)
def test_value_that_karbor_converted_to_text_is_converted_back(value: Any) -> None:
    """Karbor keeps ``str(value)`` of a value."""
    wanted = {bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    assert parse_one({"type": wanted[type(value)]}, str(value)) == value


@given(st.text())
def test_text_is_unchanged_for_a_string(value: str) -> None:
    parsed = parse_parameters({"properties": {"option": {"type": "string"}}}, {"option": value})
    assert parsed == ({"option": value} if value.strip() else {})
