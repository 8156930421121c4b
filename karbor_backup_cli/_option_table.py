"""What a schema says of each option: type, choices, default and description."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from karbor_backup_cli._default_names import generated_options
from karbor_backup_core.json_schema.subschemas import Schema, child_schemas, inplace_subschemas

COLUMNS: Final = ("OPTION", "TYPE", "CHOICES", "DEFAULT", "REQUIRED", "DESCRIPTION")
"""The heads of the columns of ``Option.row``."""

_GENERATED: Final = "made of the resource and the time"
_EMPTY: Final = "-"
_JSON_TYPES: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


@attrs.frozen
class Option:
    """One option of an operation.

    Attributes:
        name: its key.
        types: the JSON types that its value may have; empty where the schema says none.
        choices: all values that it may have; empty where it has no fixed ones.
        default: the value that holds without it; None where there is none.
        required: whether the backend asks for it always.
        generated: whether the command makes a value where the person gives none.
        description: what it is for.
    """

    name: str
    types: Sequence[str]
    choices: Sequence[Any]
    default: Any
    required: bool
    generated: bool
    description: str

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "name": self.name,
            "types": list(self.types),
            "choices": list(self.choices),
            "default": self.default,
            "required": self.required,
            "made": self.generated,
            "description": self.description,
        }

    def row(self) -> tuple[str, ...]:
        """Return it as a row of a table."""
        default = _EMPTY if self.default is None else _format_value(self.default)
        return (
            self.name,
            " or ".join(self.types) or "any",
            ", ".join(_format_value(each) for each in self.choices) or _EMPTY,
            _GENERATED if self.generated else default,
            "yes" if self.required and not self.generated else "no",
            " ".join(self.description.split()) or _EMPTY,
        )


def options_from_schema(schema: Schema) -> list[Option]:
    """Return the options that a schema names, also those in its branches, in its own order."""
    return _collect_options(json.loads(json.dumps(schema)))


def _collect_options(schema: Schema) -> list[Option]:
    spoken = inplace_subschemas(schema, schema)
    names = dict.fromkeys(name for facet in spoken for name in facet.get("properties", {}))
    required = set(_required_names(schema))
    generated = set(generated_options(schema))
    return [
        _build_option(name, schema, required=name in required, generated=name in generated)
        for name in names
    ]


def _build_option(name: str, schema: Schema, *, required: bool, generated: bool) -> Option:
    inner = child_schemas(inplace_subschemas(schema, schema), name)
    said = [facet for each in inner for facet in inplace_subschemas(each, schema)]
    secret = any(facet.get("writeOnly") is True for facet in said)
    choices = _collect_choices(said)
    return Option(
        name=name,
        types=_collect_types(said)
        or list(dict.fromkeys(_JSON_TYPES[type(each)] for each in choices)),
        choices=choices,
        default=None if secret else _first_value(said, "default"),
        required=required,
        generated=generated,
        description=_first_value(said, "description") or _first_value(said, "title") or "",
    )


def _required_names(schema: Schema) -> Iterator[str]:
    """Return what is required in every case; what only a condition requires is left out."""
    yield from schema.get("required", ())
    for each in schema.get("allOf", ()):
        if isinstance(each, Mapping):
            yield from _required_names(each)


def _collect_types(said: Iterable[Schema]) -> list[str]:
    kinds: dict[str, None] = {}
    for facet in said:
        kind = facet.get("type", ())
        kinds |= dict.fromkeys([kind] if isinstance(kind, str) else kind)
    return list(kinds)


def _collect_choices(said: Iterable[Schema]) -> list[Any]:
    choices: list[Any] = []
    for facet in said:
        offered = [*facet.get("enum", ()), *([facet["const"]] if "const" in facet else ())]
        choices += [each for each in offered if each not in choices]
    return choices


def _first_value(said: Iterable[Schema], key: str) -> Any:
    return next((facet[key] for facet in said if facet.get(key) is not None), None)


def _format_value(value: Any) -> str:
    """Write a value as it is given after ``-o KEY=``."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
