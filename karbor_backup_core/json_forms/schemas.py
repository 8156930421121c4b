"""Reading JSON Schemas: which parts speak of a property, which values are secrets.

Only local references (``#/...``) are followed; a schema of ours never asks the network.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[str | int, ...]
"""Where in a document a value is: names of properties and indices of items."""

REFERENCE: Final[Schema] = {
    "type": "object",
    "writeOnly": True,
    "properties": {name: {"type": "string", "minLength": 1} for name in ("env", "file")},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
"""What may stand for a secret: ``{"env": "NAME"}`` or ``{"file": "PATH"}``."""

NOTHING: Final[Schema] = {"not": {}}
"""The schema that nothing fits."""

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLES: Final = ("if", "then", "else")
_MAPS: Final = ("properties", "patternProperties")
_FURTHER: Final = ("additionalProperties", "unevaluatedProperties")
_CHILDREN: Final = ("items", *_FURTHER)
_DATA: Final = ("const", "default", "enum", "examples")


def facets(schema: Any, root: Schema) -> list[Schema]:
    """Answer the schema and all schemas in it that speak of the very same value."""
    found: list[Schema] = []
    pending = [schema]
    while pending:
        facet = pending.pop(0)
        if not isinstance(facet, Mapping) or any(facet is known for known in found):
            continue
        found.append(facet)
        pending += [inner for key in _LISTS for inner in facet.get(key, ())]
        pending += [facet[key] for key in _SINGLES if key in facet]
        pending += facet.get("dependentSchemas", {}).values()
        pending.append(_target(facet.get("$ref"), root))
    return found


def children(schemas: Iterable[Schema], step: str | int) -> list[Any]:
    """Answer what these schemas of a value say of one of its properties or items."""
    if isinstance(step, int):
        return [inner for schema in schemas for inner in _of_item(schema, step)]
    return [inner for schema in schemas for inner in _of_property(schema, step)]


def secret_places(schema: Schema, document: Any) -> set[Place]:
    """Answer the places in a document whose values the schema marks ``"writeOnly": true``.

    A mark in any branch counts, whether or not the branch applies: hiding too much is no harm.
    """
    return set(_secret_places([schema], document, schema, ()))


def closed(schema: Schema) -> dict[str, Any]:
    """Answer the schema such that it refuses properties that it does not name.

    The root is closed, and so is every object inside whose schema names properties; where the
    author says something of other properties himself, that holds. Branches (``allOf``, ``anyOf``
    and so on, and ``$defs``) stay open, since each sees only some of the names.
    """
    result = {**_closed(schema, schema), "type": "object"}
    return result if _says_more(schema) else {**result, "unevaluatedProperties": False}


def with_references(schema: Any) -> Any:
    """Answer the schema such that each secret may also be a ``REFERENCE`` to it."""
    if isinstance(schema, list):
        return [with_references(inner) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    inside = {
        key: inner if key in _DATA else with_references(inner) for key, inner in schema.items()
    }
    if schema.get("writeOnly") is not True:
        return inside
    # A condition, not a choice of two: its faults are those of the form that was meant.
    return {"writeOnly": True, "if": {"type": "object"}, "then": REFERENCE, "else": inside}


def _target(reference: Any, root: Schema) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    target: Any = root
    for key in reference.removeprefix("#").split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901 - RFC 6901's escapes
        target = target.get(key) if isinstance(target, Mapping) else None
    return target


def _of_property(schema: Schema, name: str) -> Iterator[Any]:
    named = False
    if name in schema.get("properties", {}):
        named = True
        yield schema["properties"][name]
    for pattern, inner in schema.get("patternProperties", {}).items():
        if re.search(pattern, name):
            named = True
            yield inner
    for key in _FURTHER:
        if not named and schema.get(key, False) is not False:
            yield schema[key]


def _of_item(schema: Schema, index: int) -> Iterator[Any]:
    first = schema.get("prefixItems", ())
    if index < len(first):
        yield first[index]
    elif "items" in schema:
        yield schema["items"]


def _secret_places(
    schemas: Iterable[Any], value: Any, root: Schema, place: Place
) -> Iterator[Place]:
    here = [facet for schema in schemas for facet in facets(schema, root)]
    if any(facet.get("writeOnly") is True for facet in here):
        yield place
        return
    steps: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        steps = value.items()
    elif isinstance(value, list | tuple):
        steps = enumerate(value)
    for step, inner in steps:
        if known := children(here, step):
            yield from _secret_places(known, inner, root, (*place, step))


def _closed(schema: Any, root: Schema) -> Any:
    """Close the objects inside a schema, but not the one that it describes."""
    if not isinstance(schema, Mapping):
        return schema
    result = dict(schema)
    for key, inner in schema.items():
        if key in _MAPS:
            result[key] = {name: _value(each, root) for name, each in inner.items()}
        elif key in _CHILDREN and isinstance(inner, Mapping):
            result[key] = _value(inner, root)
        elif key == "prefixItems":
            result[key] = [_value(each, root) for each in inner]
        elif key in _LISTS:
            result[key] = [_closed(each, root) for each in inner]
        elif key in _SINGLES:
            result[key] = _closed(inner, root)
        elif key in ("$defs", "dependentSchemas"):
            result[key] = {name: _closed(each, root) for name, each in inner.items()}
    return result


def _value(schema: Any, root: Schema) -> Any:
    """Close the schema of a property or item, if it names properties and says no more of them."""
    if schema is False:
        return NOTHING  # jsonschema loses the place of what the schema ``false`` refuses
    result = _closed(schema, root)
    names = any("properties" in facet for facet in facets(schema, root))
    if not names or _says_more(schema):
        return result
    return {**result, "unevaluatedProperties": False}


def _says_more(schema: Schema) -> bool:
    return any(key in schema for key in _FURTHER)
