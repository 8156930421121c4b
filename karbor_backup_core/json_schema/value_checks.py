"""Which values from files and options can be computed with and stored at all."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

_MAX_DEPTH: Final = 64
_INTEGER_LIMIT: Final = 2**63
"""What TOML, SQL and most services hold: an integer of 64 bits."""


def find_unusable_value(document: Any) -> str | None:
    """Return what is wrong with the first value that nothing could be done with, or None.

    Nested too deeply, integers beyond 64 bits, numbers that are none, text that is not Unicode or
    holds a NUL. The value itself is not quoted: it may be long, or a secret.
    """
    pending: list[tuple[Any, int]] = [(document, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > _MAX_DEPTH:
            return f"it is nested more than {_MAX_DEPTH} levels deep"
        if isinstance(value, Mapping):
            pending += ((each, depth + 1) for pair in value.items() for each in pair)
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            pending += ((each, depth + 1) for each in value)
        elif (fault := _find_scalar_error(value)) is not None:
            return fault
    return None


def _find_scalar_error(value: Any) -> str | None:
    if isinstance(value, int) and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        return "an integer in it is longer than 64 bits"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number in it is infinite or none"
    if isinstance(value, str):
        if "\0" in value:
            return "a text in it holds a NUL"
        if any("\ud800" <= char <= "\udfff" for char in value):
            return "a text in it is not Unicode"
    return None
