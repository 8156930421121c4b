"""The nouns as JSON documents and back: what a store keeps and another process reads.

Reading is strict. Everything in a document is known, present and of its own type, or the document
is refused with all its faults. Operations and backups carry the number of their format, so that
one written by a newer version is told from a broken one.
"""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import attrs

from karbor_backup_core.errors import InvalidDocument, InvalidInput
from karbor_backup_core.identities import check_backup, check_operation
from karbor_backup_core.json_forms.conversion import LIMITED, model_converter, within_limit
from karbor_backup_core.json_forms.json_values import MISFITS, misfits, step
from karbor_backup_core.model import Backup, Operation

T = TypeVar("T")

FORMAT: Final = 1
"""The format in which operations and backups are written; every format up to it can be read."""

_NUMBERED: Final = (Operation, Backup)


def to_document(instance: Any) -> dict[str, Any]:
    """Answer an instance of one of the model's classes as plain JSON values.

    Instants are ISO 8601 in UTC, of one width, so that they sort as text.

    Raises:
        InvalidDocument: it holds something that is no JSON value (a ``Secret``, an instant
            without a zone, NaN), or a receipt or handle larger than ``RECEIPT_LIMIT``.
    """
    try:
        body: dict[str, Any] = model_converter().unstructure(instance)
    except (*MISFITS, AttributeError, OverflowError) as error:
        what = type(instance).__name__
        raise InvalidDocument(what, _faults(instance, "$") or [f"$: {error}"]) from None
    return {"format": FORMAT, **body} if isinstance(instance, _NUMBERED) else body


def from_document(cls: type[T], document: Any) -> T:
    """Answer the instance of one of the model's classes that a document describes.

    Raises:
        InvalidDocument: with all faults of the document, each with its JSON path; or with the
            format alone, when a newer version has written it.
    """
    import cattrs

    what = f"{cls.__name__} document"
    body = _without_format(document, what) if cls in _NUMBERED else document
    try:
        instance = model_converter().structure(body, cls)
    except (cattrs.BaseValidationError, *MISFITS) as error:
        faults = cattrs.transform_error(error, "$", _explain)
        raise InvalidDocument(what, [_place_first(fault) for fault in faults]) from None
    _check_identity(instance, what)
    return instance


def _check_identity(instance: object, what: str) -> None:
    """Hold the ids and names of an operation or backup to the rules of planning."""
    try:
        if isinstance(instance, Operation):
            check_operation(instance)
        elif isinstance(instance, Backup):
            check_backup(instance)
    except InvalidInput as error:
        raise InvalidDocument(what, [str(error)]) from None


def _without_format(document: Any, what: str) -> Any:
    if not isinstance(document, Mapping):
        return document
    number = document.get("format")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InvalidDocument(
            what, [f"$.format: {number!r} is not a format: it is a number from 1 to {FORMAT}"]
        )
    if number > FORMAT:
        fault = (
            f"$.format: written in format {number} by a newer karbor-backup; this version "
            f"reads formats up to {FORMAT}: upgrade karbor-backup"
        )
        raise InvalidDocument(what, [fault])
    return {name: value for name, value in document.items() if name != "format"}


def _explain(error: BaseException, cls: Any) -> str:
    """Say what is wrong at one place, as ``cattrs.transform_error`` asks."""
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


def _place_first(fault: str) -> str:
    message, _, place = fault.rpartition(" @ ")
    return f"{place}: {message}"


def _faults(value: Any, place: str) -> list[str]:
    """Say where and why an instance cannot be written; only a failed write asks."""
    if attrs.has(type(value)):
        return [
            fault
            for field in attrs.fields(type(value))
            for fault in _field_faults(field.name, getattr(value, field.name), place)
        ]
    if isinstance(value, tuple):
        return [f for index, item in enumerate(value) for f in _faults(item, f"{place}[{index}]")]
    if isinstance(value, datetime):
        return [f"{place}: {value} has no zone: give it in UTC"] if value.tzinfo is None else []
    return misfits(value, place)


def _field_faults(name: str, value: Any, place: str) -> list[str]:
    place = step(place, name)
    faults = _faults(value, place)
    if name in LIMITED and not faults:
        try:
            within_limit(value)
        except MISFITS as error:
            return [f"{place}: {error}"]
    return faults
