"""Options made from their schemas: some that fit, and some that do not."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.model import Json

TEXT: Final = "contract"
LONGEST: Final = 255

_MISFITS: Final[Mapping[str, Any]] = {
    "string": 5,
    "integer": "five",
    "number": "five",
    "boolean": "yes",
    "array": "one, two",
    "object": "one: two",
}


def fitting(schema: Json) -> dict[str, Any]:
    """Answer the shortest options that a schema takes: its required ones.

    Raises:
        Broken: one of them cannot be made up; the bench must give it.
    """
    properties = schema.get("properties", {})
    return {name: _value(name, properties.get(name, {})) for name in schema.get("required", ())}


def misfits(schema: Json, options: Json) -> Iterator[tuple[str, dict[str, Any]]]:
    """Answer options that a schema must refuse, each with what is wrong with it."""
    yield "an unknown option", {**options, "no_such_option": "x"}
    for name in schema.get("required", ()):
        yield f"{name} missing", {key: value for key, value in options.items() if key != name}
    for name, inner in schema.get("properties", {}).items():
        if isinstance(kind := inner.get("type"), str) and kind in _MISFITS:
            yield f"{name} of a wrong type", {**options, name: _MISFITS[kind]}


def free_texts(schema: Json) -> list[str]:
    """Answer the required options that may be any text."""
    properties = schema.get("properties", {})
    bound = {"enum", "const", "pattern", "format"}
    return [
        name
        for name in schema.get("required", ())
        if properties.get(name, {}).get("type") == "string" and not bound & set(properties[name])
    ]


def longest(schema: Json, name: str) -> int:
    """Answer how long an option that is text may be, or a length that every one may have."""
    limit = schema["properties"][name].get("maxLength", LONGEST)
    return min(int(limit), LONGEST)


def _value(name: str, schema: Json) -> Any:
    if "const" in schema:
        return schema["const"]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    match schema.get("type"):
        case "string" if "pattern" not in schema and "format" not in schema:
            return TEXT.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "object":
            return fitting(schema)
        case _:
            raise Broken(
                f"no value for the required option {name} can be made up from its schema: "
                "give it an example, or the bench options"
            )
