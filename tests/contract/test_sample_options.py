"""Options made from schemas."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_contract import RuleViolation
from karbor_backup_contract._sample_options import (
    free_text_options,
    invalid_options,
    max_length,
    valid_options,
)
from karbor_backup_core import InvalidDocument
from karbor_backup_core.json_schema.validator import Validator

PROPERTIES = st.one_of(
    st.builds(
        lambda shortest, more: {
            "type": "string",
            "minLength": shortest,
            "maxLength": shortest + more,
        },
        st.integers(0, 30),
        st.integers(0, 300),
    ),
    st.builds(lambda least: {"type": "integer", "minimum": least}, st.integers(-5, 5)),
    st.just({"type": "boolean"}),
    st.builds(lambda choice: {"type": "string", "enum": choice}, st.lists(st.text(), min_size=1)),
    st.builds(lambda text: {"const": text}, st.text()),
    st.builds(lambda text: {"type": "string", "examples": [text]}, st.text(min_size=1)),
)


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    properties = draw(st.dictionaries(st.sampled_from("abcdef"), PROPERTIES))
    required = draw(st.sets(st.sampled_from(sorted(properties)))) if properties else set()
    return {"type": "object", "properties": properties, "required": sorted(required)}


@given(schemas())
def test_generated_documents_fit_and_broken_ones_do_not(schema: dict[str, Any]) -> None:
    validator = Validator(schema, "options")
    options = valid_options(schema)
    validator.check(options)
    for what, wrong in invalid_options(schema, options):
        with pytest.raises(InvalidDocument):
            validator.check(wrong)
        assert what


@given(schemas())
def test_free_texts_take_texts_of_the_length_named(schema: dict[str, Any]) -> None:
    validator = Validator(schema, "options")
    for name in free_text_options(schema):
        text = "n" * max_length(schema, name)
        if len(text) >= schema["properties"][name].get("minLength", 0):
            validator.check({**valid_options(schema), name: text})


@pytest.mark.parametrize("unknown", [{"type": "string", "pattern": "^[a-f]{8}$"}, {}])
def test_options_that_cannot_be_generated_come_from_the_harness(unknown: dict[str, Any]) -> None:
    with pytest.raises(RuleViolation, match="give it an example"):
        valid_options({"properties": {"key": unknown}, "required": ["key"]})
