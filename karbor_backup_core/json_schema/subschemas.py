"""Reading JSON Schemas: which parts speak of a property, which values are secrets.

Only local references (``#/...``) are followed; a schema of ours never asks the network.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
DocumentPath: TypeAlias = tuple[str | int, ...]
"""Where in a document a value is: names of properties and indices of items."""

SECRET_REFERENCE_SCHEMA: Final[Schema] = {
    "type": "object",
    "writeOnly": True,
    "properties": {name: {"type": "string", "minLength": 1} for name in ("env", "file")},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
"""What may stand for a secret: ``{"env": "NAME"}`` or ``{"file": "PATH"}``."""

IMPOSSIBLE_SCHEMA: Final[Schema] = {"not": {}}
"""The schema that nothing fits."""

_LIST_APPLICATORS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE_APPLICATORS: Final = ("if", "then", "else")
_PROPERTY_KEYWORDS: Final = ("properties", "patternProperties")
_UNNAMED_PROPERTY_KEYWORDS: Final = ("additionalProperties", "unevaluatedProperties")
_CHILD_KEYWORDS: Final = ("items", *_UNNAMED_PROPERTY_KEYWORDS)
_DATA_KEYWORDS: Final = ("const", "default", "enum", "examples")


def inplace_subschemas(schema: Any, root: Schema) -> list[Schema]:
    """Return the schema and all schemas in it that speak of the very same value."""
    found: list[Schema] = []
    pending = [schema]
    while pending:
        facet = pending.pop(0)
        if not isinstance(facet, Mapping) or any(facet is known for known in found):
            continue
        found.append(facet)
        pending += [inner for key in _LIST_APPLICATORS for inner in facet.get(key, ())]
        pending += [facet[key] for key in _SINGLE_APPLICATORS if key in facet]
        pending += facet.get("dependentSchemas", {}).values()
        pending.append(_resolve_reference(facet.get("$ref"), root))
    return found


def child_schemas(schemas: Iterable[Schema], step: str | int) -> list[Any]:
    """Return what these schemas of a value say of one of its properties or items."""
    if isinstance(step, int):
        return [inner for schema in schemas for inner in _item_schemas(schema, step)]
    return [inner for schema in schemas for inner in _property_schemas(schema, step)]


def find_secret_paths(schema: Schema, document: Any) -> set[DocumentPath]:
    """Return the places in a document whose values the schema marks ``"writeOnly": true``.

    A mark in any branch counts, whether or not the branch applies: hiding too much is no harm.
    """
    return set(_iter_secret_paths([schema], document, schema, ()))


def forbid_unknown_properties(schema: Schema) -> dict[str, Any]:
    """Return the schema such that it refuses properties that it does not name.

    The root is closed, and so is every object inside whose schema names properties; where the
    author says something of other properties himself, that holds. Branches (``allOf``, ``anyOf``
    and so on, and ``$defs``) stay open, since each sees only some of the names.
    """
    result = {**_close_inner_objects(schema, schema), "type": "object"}
    return (
        result
        if _restricts_unnamed_properties(schema)
        else {**result, "unevaluatedProperties": False}
    )


def allow_secret_references(schema: Any) -> Any:
    """Return the schema such that each secret may also be a ``SECRET_REFERENCE_SCHEMA`` to it."""
    if isinstance(schema, list):
        return [allow_secret_references(inner) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    inside = {
        key: inner if key in _DATA_KEYWORDS else allow_secret_references(inner)
        for key, inner in schema.items()
    }
    if schema.get("writeOnly") is not True:
        return inside
    # A condition, not a choice of two: its faults are those of the form that was meant.
    return {
        "writeOnly": True,
        "if": {"type": "object"},
        "then": SECRET_REFERENCE_SCHEMA,
        "else": inside,
    }


def _resolve_reference(reference: Any, root: Schema) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    target: Any = root
    for key in reference.removeprefix("#").split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901 - RFC 6901's escapes
        target = target.get(key) if isinstance(target, Mapping) else None
    return target


def _property_schemas(schema: Schema, name: str) -> Iterator[Any]:
    named = False
    if name in schema.get("properties", {}):
        named = True
        yield schema["properties"][name]
    for pattern, inner in schema.get("patternProperties", {}).items():
        if re.search(pattern, name):
            named = True
            yield inner
    for key in _UNNAMED_PROPERTY_KEYWORDS:
        if not named and schema.get(key, False) is not False:
            yield schema[key]


def _item_schemas(schema: Schema, index: int) -> Iterator[Any]:
    first = schema.get("prefixItems", ())
    if index < len(first):
        yield first[index]
    elif "items" in schema:
        yield schema["items"]


def _iter_secret_paths(
    schemas: Iterable[Any], value: Any, root: Schema, place: DocumentPath
) -> Iterator[DocumentPath]:
    here = [facet for schema in schemas for facet in inplace_subschemas(schema, root)]
    if any(facet.get("writeOnly") is True for facet in here):
        yield place
        return
    steps: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        steps = value.items()
    elif isinstance(value, list | tuple):
        steps = enumerate(value)
    for step, inner in steps:
        if known := child_schemas(here, step):
            yield from _iter_secret_paths(known, inner, root, (*place, step))


def _close_inner_objects(schema: Any, root: Schema) -> Any:
    """Close the objects inside a schema, but not the one that it describes."""
    if not isinstance(schema, Mapping):
        return schema
    result = dict(schema)
    for key, inner in schema.items():
        if key in _PROPERTY_KEYWORDS:
            result[key] = {name: _close_value_schema(each, root) for name, each in inner.items()}
        elif key in _CHILD_KEYWORDS and isinstance(inner, Mapping):
            result[key] = _close_value_schema(inner, root)
        elif key == "prefixItems":
            result[key] = [_close_value_schema(each, root) for each in inner]
        elif key in _LIST_APPLICATORS:
            result[key] = [_close_inner_objects(each, root) for each in inner]
        elif key in _SINGLE_APPLICATORS:
            result[key] = _close_inner_objects(inner, root)
        elif key in ("$defs", "dependentSchemas"):
            result[key] = {name: _close_inner_objects(each, root) for name, each in inner.items()}
    return result


def _close_value_schema(schema: Any, root: Schema) -> Any:
    """Close the schema of a property or item, if it names properties and says no more of them."""
    if schema is False:
        return IMPOSSIBLE_SCHEMA  # jsonschema loses the place of what the schema ``false`` refuses
    result = _close_inner_objects(schema, root)
    names = any("properties" in facet for facet in inplace_subschemas(schema, root))
    if not names or _restricts_unnamed_properties(schema):
        return result
    return {**result, "unevaluatedProperties": False}


def _restricts_unnamed_properties(schema: Schema) -> bool:
    return any(key in schema for key in _UNNAMED_PROPERTY_KEYWORDS)
