"""Whether an instance of one of the model's classes is what its annotations say: a quick yes.

Every answer of a hook is checked, so the common case, an answer without a fault, must cost little.
A yes here means that the instance can become a document and be read again; whatever is not plainly
so is left to ``documents``, which takes its time and says where and why.
"""

import functools
import math
import operator
import types
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

import attrs

from karbor_backup_core._model import RECEIPT_LIMIT, Json, LimitedJson
from karbor_backup_core.documents import from_document, to_document

Test: TypeAlias = Callable[[Any], bool]

_EXACT_FLOAT_LIMIT: Final = 2**53
"""Whole numbers from here on are not the same as a float."""

_MAX_CHARACTER_BYTES: Final = len(r"\u0000")
_MAX_INTEGER_BITS: Final = 300
"""Of the integers that are numbers beyond doubt."""

_MAX_NUMBER_BYTES: Final = len(f"{-(2**_MAX_INTEGER_BITS)}, ")
_PUNCTUATION_BYTES: Final = len('"": ')


def check_annotations(instance: Any) -> None:
    """Check that every attribute of an instance, at any depth, is of its type.

    Raises:
        InvalidDocument: one is not; all faults are named.
    """
    if not matches_annotations(instance):
        from_document(type(instance), to_document(instance))


def matches_annotations(instance: Any) -> bool:
    """Return whether every attribute, at any depth, is plainly of its type; False is no verdict."""
    cls: Any = type(instance)
    return _check_for(cls)(instance)


@functools.cache
def _check_for(annotation: Any) -> Test:
    """Make the test for a type; one that is not known here never says yes."""
    origin = get_origin(annotation)
    if annotation == Json:
        return _is_json
    if annotation == LimitedJson:
        return _is_limited_json
    if origin in (Union, types.UnionType):
        return _or_none(*get_args(annotation))
    if origin is tuple:
        return _tuple_of(_check_for(get_args(annotation)[0]))
    if isinstance(annotation, type):
        return _check_for_class(annotation)
    return _never


def _check_for_class(cls: Any) -> Test:
    if attrs.has(cls):
        return _check_for_attrs(cls)
    if issubclass(cls, Enum) or cls in (str, bool, int):
        return lambda value: type(value) is cls
    return {float: _is_number, datetime: _is_instant}.get(cls, _never)


def _check_for_attrs(cls: Any) -> Test:
    def conforming(value: Any) -> bool:
        if value.__class__ is not cls:
            return False
        values_of, tests = _field_checks(cls)
        return all(test(each) for test, each in zip(tests, values_of(value), strict=True))

    return conforming


# Asked for at the first use only, since a backup may be a member of a backup.
@functools.cache
def _field_checks(cls: Any) -> tuple[Callable[[Any], tuple[Any, ...]], list[Test]]:
    """Return what reads all attributes of a class, and the test of each."""
    hints = get_type_hints(cls, include_extras=True)
    names = [field.name for field in attrs.fields(cls)]
    return operator.attrgetter(*names), [_check_for(hints[each]) for each in names]


def _or_none(annotation: Any, _none: type[None]) -> Test:
    test = _check_for(annotation)
    return lambda value: value is None or test(value)


def _tuple_of(test: Test) -> Test:
    return lambda value: type(value) is tuple and all(map(test, value))


def _never(_: Any) -> bool:
    return False


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return -_EXACT_FLOAT_LIMIT < value < _EXACT_FLOAT_LIMIT
    return type(value) is float and math.isfinite(value)


def _is_instant(value: Any) -> bool:
    return bool(type(value) is datetime and value.tzinfo is UTC)


def _is_json(value: Any) -> bool:
    return isinstance(value, dict) and _max_json_bytes(value) < math.inf


def _is_limited_json(value: Any) -> bool:
    return isinstance(value, dict) and _max_json_bytes(value) <= RECEIPT_LIMIT


def _max_json_bytes(value: Any) -> float:
    """Return how many bytes of JSON a value takes at most; infinity for what is plainly none."""
    try:
        return _estimate_bytes(value)
    except RecursionError:
        return math.inf


def _estimate_bytes(value: Any) -> float:
    kind = type(value)
    if kind is str:
        return _MAX_CHARACTER_BYTES * len(value) + _PUNCTUATION_BYTES
    if kind is dict:
        named = all(type(name) is str for name in value)
        inside = sum(
            _estimate_bytes(name) + _estimate_bytes(inner) for name, inner in value.items()
        )
        return _PUNCTUATION_BYTES + inside if named else math.inf
    if kind is list or kind is tuple:
        return _PUNCTUATION_BYTES + sum(map(_estimate_bytes, value))
    whole = kind is int and value.bit_length() < _MAX_INTEGER_BITS
    if whole or value is None or kind is bool or (kind is float and math.isfinite(value)):
        return _MAX_NUMBER_BYTES
    return math.inf
