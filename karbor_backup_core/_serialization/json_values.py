"""What may stand in a document: the values that JSON has, and nothing that only looks like them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

NOT_JSON_ERRORS = (TypeError, ValueError, RecursionError)
"""The exceptions of ``to_plain_json``; ``find_non_json`` then says where and why."""

_TOO_DEEP = "is nested too deeply, or inside itself: flatten it"


def to_plain_json(value: Any) -> Any:
    """Return a copy made of dict, list, str, int, float, bool and None alone.

    It is on the way of every write of a store, so it keeps no track of places.

    Raises:
        TypeError: something in it is no JSON value.
        ValueError: a number in it is not finite, or has more digits than Python writes.
        RecursionError: it is nested too deeply.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        str(value)  # raises ValueError where Python writes no text of it
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(value)
        return value
    if isinstance(value, Mapping):
        return {_require_string_key(name): to_plain_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain_json(inner) for inner in value]
    raise TypeError(type(value))


def is_writable_integer(number: int) -> bool:
    """Return whether Python writes a number as text; ``sys.int_info`` says how many digits."""
    try:
        str(number)
    except ValueError:
        return False
    return True


def find_non_json(value: Any, place: str = "$") -> list[str]:
    """Describe where and why ``plain`` refuses a value."""
    try:
        return list(_iter_non_json(value, place))
    except RecursionError:
        return [f"{place}: {_TOO_DEEP}"]


def child_path(place: str, name: str) -> str:
    """Return the JSON path of a property inside the object at a place."""
    return f"{place}.{name}" if name.isidentifier() else f"{place}[{name!r}]"


def _require_string_key(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(type(name))
    return str(name)


def _iter_non_json(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(name, str):
                yield from _iter_non_json(inner, child_path(place, name))
            else:
                yield f"{place}: a name of type {type(name).__name__}: names are strings in JSON"
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _iter_non_json(inner, f"{place}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place}: {value} is no number in JSON: use a finite one, or null"
    elif isinstance(value, int) and not is_writable_integer(value):
        yield f"{place}: an integer of too many digits: write it as text"
    elif not (value is None or isinstance(value, str | int | float)):
        # The type alone: the value may be a secret.
        yield f"{place}: {type(value).__name__} is no type of JSON: write it as text"
