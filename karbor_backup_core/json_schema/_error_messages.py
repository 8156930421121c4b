"""jsonschema's errors in words for the person who wrote the document.

jsonschema's own messages quote the value, whatever it is. These quote a value only when it is
short and no secret, and say what to write instead.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from karbor_backup_core._serialization.json_values import child_path, is_writable_integer
from karbor_backup_core._suggestions import suggest_name
from karbor_backup_core.json_schema.subschemas import (
    IMPOSSIBLE_SCHEMA,
    DocumentPath,
    Schema,
    child_schemas,
    inplace_subschemas,
)

Error: TypeAlias = Any
"""A ``jsonschema.ValidationError``; its own annotations allow each attribute to be unset."""

_MAX_SHOWN: Final = 60
_GUESSED: Final = 50
"""Unknown names for which a guess is made; no message shows as many."""

_TYPE_NAMES: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "text",
}
_REMEDIES: Final = {
    "const": "give {}",
    "exclusiveMaximum": "give less than {}",
    "exclusiveMinimum": "give more than {}",
    "format": "give a {}",
    "maximum": "give at most {}",
    "maxItems": "give at most {} items",
    "maxLength": "give at most {} characters",
    "maxProperties": "give at most {} properties",
    "minimum": "give at least {}",
    "minItems": "give at least {} items",
    "minLength": "give at least {} characters",
    "minProperties": "give at least {} properties",
    "multipleOf": "give a multiple of {}",
    "type": "give {}",
    "uniqueItems": "give each item once",
}

_PATTERN_DESCRIPTIONS: Final = {
    "^/": "an absolute path, which begins with /",
    r"^[\w.-]+$": "letters, digits, '.', '_' and '-' only",
}
"""Patterns that need no description to be said in words."""

_URL_CREDENTIALS: Final = re.compile(r"//[^/\s]*@")
"""Who a URL names: with a password, wherever in a document the URL was put by mistake."""


def format_errors(
    errors: Iterable[Error], root: Schema, secrets: Collection[DocumentPath]
) -> list[str]:
    """Return the faults behind jsonschema's errors, each once, as "place: fault: remedy".

    Args:
        errors: what the validator found.
        root: the schema that it used.
        secrets: the places of the document whose values must not be shown.
    """
    errors = list(errors)
    faults = [fault for error in errors for fault in _format_error(error, root, secrets)]
    if errors and not faults:
        # Every name is known, but only in branches that do not apply together.
        names = ", ".join(sorted({name for error in errors for name in error.instance}))
        faults = [f"{_format_path(errors[0].absolute_path)}: {names} do not go together"]
    return list(dict.fromkeys(_URL_CREDENTIALS.sub("//***@", fault) for fault in faults))


def _format_error(error: Error, root: Schema, secrets: Collection[DocumentPath]) -> Iterator[str]:
    place = _format_path(error.absolute_path)
    match error.validator:
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            yield from (f"{child_path(place, name)}: missing: give it" for name in missing)
        case "additionalProperties" | "unevaluatedProperties":
            yield from _format_unknown_properties(error, root, place)
        case "anyOf" | "oneOf" if error.context:
            alternatives = _format_alternatives(error.context, root, secrets)
            yield f"{place}: fits none of the forms: {alternatives}"
        case "oneOf":
            yield f"{place}: fits more than one of the forms: keep to one"
        case "enum":
            yield f"{place}: {_format_value(error, secrets)}: {_format_choices(error)}"
        case "pattern":
            yield f"{place}: {_format_value(error, secrets)}: {_describe_pattern(error)}"
        case "not" if error.schema == IMPOSSIBLE_SCHEMA:
            yield f"{place}: not allowed here: remove it"
        case keyword:
            remedy = _format_remedy(keyword, error.validator_value)
            yield f"{place}: {_format_value(error, secrets)}: {remedy}"


def _format_unknown_properties(error: Error, root: Schema, place: str) -> Iterator[str]:
    whole = error.validator == "unevaluatedProperties"
    known = inplace_subschemas(error.schema, root) if whole else [error.schema]
    names = sorted({name for facet in known for name in facet.get("properties", ())})
    unknown = (name for name in error.instance if not child_schemas(known, name))
    for number, name in enumerate(unknown):
        guess = suggest_name(name, names).strip() if number < _GUESSED else ""
        remedy = guess or _format_allowed(names)
        yield f"{child_path(place, name)}: unknown: {remedy}"


def _format_allowed(names: Sequence[str]) -> str:
    return f"remove it, or use one of: {', '.join(names)}" if names else "remove it"


def _format_alternatives(
    errors: Iterable[Error], root: Schema, secrets: Collection[DocumentPath]
) -> str:
    forms: dict[Any, list[str]] = {}
    for error in errors:
        forms.setdefault(error.relative_schema_path[0], []).extend(
            _format_error(error, root, secrets)
        )
    return " or ".join(f"({', '.join(dict.fromkeys(faults))})" for faults in forms.values())


def _describe_pattern(error: Error) -> str:
    """Describe in words what a pattern wants: a person who gives an option reads no expressions."""
    pattern = error.validator_value
    if pattern in _PATTERN_DESCRIPTIONS:
        return f"give {_PATTERN_DESCRIPTIONS[pattern]}"
    if description := error.schema.get("description"):
        return f"give what it is for: {description.rstrip('.')}"
    return f"give what matches {pattern}"


def _format_choices(error: Error) -> str:
    choices = error.validator_value
    text = f"give one of: {', '.join(_to_text(choice) for choice in choices)}"
    named = [choice for choice in choices if isinstance(choice, str)]
    guess = suggest_name(_to_text(error.instance), named).strip()
    return f"{text} ({guess})" if guess else text


def _format_remedy(keyword: str, expected: Any) -> str:
    if keyword == "type":
        kinds = [expected] if isinstance(expected, str) else expected
        expected = " or ".join(_TYPE_NAMES.get(kind, kind) for kind in kinds)
    return _REMEDIES.get(keyword, f"does not fit {keyword} {{}}").format(_to_text(expected))


def _format_value(error: Error, secrets: Collection[DocumentPath]) -> str:
    value = error.instance
    place = tuple(error.absolute_path)
    hidden = any(place[: len(secret)] == secret for secret in secrets)
    if isinstance(value, Mapping | list):
        return "an object" if isinstance(value, Mapping) else "a list"
    if _expects_container(error):
        # What was meant to be inside may be a secret, such as a URL with its password.
        return "text" if isinstance(value, str) else "a single value"
    if hidden:
        return "this secret"
    text = _to_text(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _expects_container(error: Error) -> bool:
    expected = error.validator_value
    kinds = [expected] if isinstance(expected, str) else expected
    return error.validator == "type" and not {"object", "array"}.isdisjoint(kinds)


def _to_text(value: Any) -> str:
    if isinstance(value, int) and not is_writable_integer(value):
        return "an integer of too many digits"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _format_path(steps: Iterable[str | int]) -> str:
    place = "$"
    for each in steps:
        place = f"{place}[{each}]" if isinstance(each, int) else child_path(place, each)
    return place
