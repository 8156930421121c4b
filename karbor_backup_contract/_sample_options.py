"""Options made from their schemas: some that fit, and some that do not."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from karbor_backup_contract._violation import RuleViolation
from karbor_backup_core import Json

SAMPLE_TEXT: Final = "contract"
MAX_LENGTH: Final = 255

_WRONG_VALUES: Final[Mapping[str, Any]] = {
    "string": 5,
    "integer": "five",
    "number": "five",
    "boolean": "yes",
    "array": "one, two",
    "object": "one: two",
}


def valid_options(schema: Json) -> dict[str, Any]:
    """Return the shortest options that a schema takes: its required ones.

    Raises:
        RuleViolation: one of them cannot be made up; the harness must give it.
    """
    properties = schema.get("properties", {})
    return {
        name: _sample_value(name, properties.get(name, {})) for name in schema.get("required", ())
    }


def optional_options(schema: Json) -> Iterator[tuple[str, Any]]:
    """Yield a value for each option that is not required and whose schema tells one."""
    for name, inner in schema.get("properties", {}).items():
        if name not in schema.get("required", ()):
            with contextlib.suppress(RuleViolation):
                value = _sample_value(name, inner)
                yield name, (not inner.get("default", False)) if value is False else value


def invalid_options(schema: Json, options: Json) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return options that a schema must refuse, each with what is wrong with it."""
    yield "an unknown option", {**options, "no_such_option": "x"}
    for name in schema.get("required", ()):
        yield f"{name} missing", {key: value for key, value in options.items() if key != name}
    for name, inner in schema.get("properties", {}).items():
        if isinstance(kind := inner.get("type"), str) and kind in _WRONG_VALUES:
            yield f"{name} of a wrong type", {**options, name: _WRONG_VALUES[kind]}


def free_text_options(schema: Json) -> list[str]:
    """Return the required options that may be any text."""
    properties = schema.get("properties", {})
    bound = {"enum", "const", "pattern", "format"}
    return [
        name
        for name in schema.get("required", ())
        if properties.get(name, {}).get("type") == "string" and not bound & set(properties[name])
    ]


def max_length(schema: Json, name: str) -> int:
    """Return how long an option that is text may be, or a length that every one may have."""
    limit = schema["properties"][name].get("maxLength", MAX_LENGTH)
    return min(int(limit), MAX_LENGTH)


def _sample_value(name: str, schema: Json) -> Any:
    if "const" in schema:
        return schema["const"]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    match schema.get("type"):
        case "string" if "pattern" not in schema and "format" not in schema:
            return SAMPLE_TEXT.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "object":
            return valid_options(schema)
        case _:
            raise RuleViolation(
                f"no value for the required option {name} can be made up from its schema: "
                "give it an example, or the harness options"
            )
