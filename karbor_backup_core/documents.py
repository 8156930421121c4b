"""The nouns as JSON documents and back: what a store keeps and another process reads.

Reading is strict. Everything in a document is known, present and of its own type, or the document
is refused with all its faults. Operations and backups carry the number of their format, so that
one written by a newer version is told from a broken one.
"""

import enum
import types
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import attrs

from karbor_backup_core._errors import InvalidDocument, InvalidInput
from karbor_backup_core._identifiers import check_backup, check_operation
from karbor_backup_core._model import Backup, Operation
from karbor_backup_core._serialization.converter import (
    is_size_limited,
    model_converter,
    to_size_limited_json,
)
from karbor_backup_core._serialization.earlier_formats import upgrade_operation
from karbor_backup_core._serialization.json_values import NOT_JSON_ERRORS, child_path, find_non_json

T = TypeVar("T")

FORMATS: Final[Mapping[type, int]] = {Operation: 2, Backup: 1}
"""The format in which each is written; every format up to it can be read."""


def to_document(instance: Any) -> dict[str, Any]:
    """Return an instance of one of the model's classes as plain JSON values.

    Instants are ISO 8601 in UTC, of one width, so that they sort as text.

    Raises:
        InvalidDocument: it holds something that is no JSON value (a ``Secret``, an instant
            without a zone, NaN), or a receipt or handle larger than ``RECEIPT_LIMIT``.
    """
    try:
        body: dict[str, Any] = model_converter().unstructure(instance)
    except (*NOT_JSON_ERRORS, AttributeError, OverflowError) as error:
        what = type(instance).__name__
        raise InvalidDocument(what, _find_errors(instance, "$") or [f"$: {error}"]) from None
    number = FORMATS.get(type(instance))
    return body if number is None else {"format": number, **body}


def from_document(cls: type[T], document: Any) -> T:
    """Return the instance of one of the model's classes that a document describes.

    Raises:
        InvalidDocument: with all faults of the document, each with its JSON path; or with the
            format alone, when a newer version has written it.
    """
    import cattrs

    what = f"{cls.__name__} document"
    body = _upgrade(cls, document, what) if cls in FORMATS else document
    try:
        instance = model_converter().structure(body, cls)
    except (cattrs.BaseValidationError, *NOT_JSON_ERRORS) as error:
        faults = cattrs.transform_error(error, "$", _format_error)
        raise InvalidDocument(what, [_move_path_first(fault) for fault in faults]) from None
    _check_identifiers(instance, what)
    return instance


def _check_identifiers(instance: object, what: str) -> None:
    """Hold the ids and names of an operation or backup to the rules of planning."""
    try:
        if isinstance(instance, Operation):
            check_operation(instance)
        elif isinstance(instance, Backup):
            check_backup(instance)
    except InvalidInput as error:
        raise InvalidDocument(what, [str(error)]) from None


def _upgrade(cls: type, document: Any, what: str) -> Any:
    """Return a document without its format's number, in the format of today."""
    if not isinstance(document, Mapping):
        return document
    number, newest = document.get("format"), FORMATS[cls]
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InvalidDocument(
            what,
            [f"$.format: {number!r} is not a format: it is a number from 1 to {newest}"],
        )
    if number > newest:
        fault = (
            f"$.format: written in format {number} by a newer karbor-backup; this version "
            f"reads formats up to {newest}: upgrade karbor-backup"
        )
        raise InvalidDocument(what, [fault])
    body = {name: value for name, value in document.items() if name != "format"}
    return upgrade_operation(body) if cls is Operation and number == 1 else body


def _format_error(error: BaseException, cls: Any) -> str:
    """Describe what is wrong at one place, as ``cattrs.transform_error`` asks."""
    import cattrs

    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        names = ", ".join(sorted(map(repr, error.extra_fields)))
        return f"unknown: {names}: remove it, or upgrade karbor-backup if a newer one wrote it"
    if isinstance(error, KeyError):
        return "missing"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(cls, type) and issubclass(cls, enum.Enum):
        return f"expected one of {', '.join(str(member.value) for member in cls)}"
    return str(error)


def _move_path_first(fault: str) -> str:
    message, _, place = fault.rpartition(" @ ")
    return f"{place}: {message}"


def _find_errors(value: Any, place: str) -> list[str]:
    """Return where and why an instance cannot be written; only a failed write asks."""
    if attrs.has(type(value)):
        hints = get_type_hints(type(value), include_extras=True)
        return [
            fault
            for name, hint in hints.items()
            for fault in _find_field_errors(name, getattr(value, name), hint, place)
        ]
    if isinstance(value, tuple):
        return [
            f for index, item in enumerate(value) for f in _find_errors(item, f"{place}[{index}]")
        ]
    if isinstance(value, datetime):
        return [f"{place}: {value} has no zone: give it in UTC"] if value.tzinfo is None else []
    return find_non_json(value, place)


def _find_field_errors(name: str, value: Any, hint: Any, place: str) -> list[str]:
    place = child_path(place, name)
    faults = _find_type_errors(value, hint, place) or _find_errors(value, place)
    if is_size_limited(hint) and not faults:
        try:
            to_size_limited_json(value)
        except NOT_JSON_ERRORS as error:
            return [f"{place}: {error}"]
    return faults


def _find_type_errors(value: Any, hint: Any, place: str) -> list[str]:
    """Return what an attribute should be that is no enum member, instant or noun, but should be."""
    choices = get_args(hint) if get_origin(hint) is types.UnionType else (hint,)
    classes = [each for each in choices if isinstance(each, type)]
    if any(isinstance(value, each) for each in classes):
        return []
    got = type(value).__name__  # not the value, which may be a secret
    for cls in classes:
        if issubclass(cls, enum.Enum):
            members = ", ".join(str(member.value) for member in cls)
            return [f"{place}: expected a {cls.__name__} (one of {members}), got {got}"]
        if attrs.has(cls) or cls is datetime:
            return [f"{place}: expected a {cls.__name__}, got {got}"]
    return []
