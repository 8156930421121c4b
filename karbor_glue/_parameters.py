"""The parameters of plans and restores, read out of the text that Karbor keeps them as.

Karbor 1.6.0 stores parameters as strings (``DictOfDictOfStrings``): what a user gives as ``false``
arrives as ``'False'``, a list as its Python representation. Its dashboard sends a field that the
user left empty as ``''``.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jsonschema

_BOOLEANS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def parse_parameters(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as values of the types that a schema wants.

    Args:
        schema: JSON Schema of the options of one verb for one type of resource.
        parameters: the parameters as Karbor hands them to a hook.

    Returns:
        The parameters without those that count as left out: None, and text that is empty. Text
        that fits no value which the schema allows stays as it is, to be refused with the schema.
    """
    validator = jsonschema.Draft202012Validator(schema)
    return {
        name: _parse_value(validator, name, value)
        for name, value in parameters.items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }


def _parse_value(validator: Any, name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    fits = (each for each in _candidate_values(value) if _is_valid(validator, name, each))
    return next(fits, value)


def _is_valid(validator: Any, name: str, value: Any) -> bool:
    """Return whether a schema allows a value for one property, whatever it asks of others."""
    errors = validator.iter_errors({name: value})
    return not any(error.absolute_path and error.absolute_path[0] == name for error in errors)


def _candidate_values(text: str) -> Iterator[Any]:
    """Yield the values that a text can stand for, the text itself first."""
    yield text
    word = text.strip()
    if word.lower() in _BOOLEANS:
        yield _BOOLEANS[word.lower()]
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(word)
            json.dumps(value, allow_nan=False)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        yield value
