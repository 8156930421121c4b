"""How ``documents`` turns the model's classes into JSON values and back: cattrs, made strict."""

import enum
import functools
import json
import math
import types
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_origin

import attrs

from karbor_backup_core._model import RECEIPT_LIMIT, Backup, Json, LimitedJson
from karbor_backup_core._serialization.json_values import to_plain_json

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""What is added to an instant between them, or taken from it, stays a date in every zone."""

_PRIMITIVES: Final = (str, int, bool)


@functools.cache
def model_converter() -> "Converter":
    """Return the one converter; it compiles a function for each class at its first use."""
    import cattrs

    attrs.resolve_types(Backup)  # its members are backups
    converter = cattrs.Converter(
        forbid_extra_keys=True, unstruct_collection_overrides={tuple: list}
    )
    converter.register_unstructure_hook(datetime, _unstructure_datetime)
    converter.register_structure_hook(datetime, _structure_datetime)
    converter.register_unstructure_hook(float, _require_finite)
    converter.register_structure_hook(float, _structure_float)
    for primitive in _PRIMITIVES:
        converter.register_structure_hook(primitive, _require_type)
    converter.register_unstructure_hook(enum.StrEnum, lambda member: member.value)
    converter.register_structure_hook(enum.StrEnum, lambda value, cls: cls(value))
    converter.register_unstructure_hook_func(_is_json, to_plain_json)
    converter.register_structure_hook_func(_is_json, _structure_json_object)
    converter.register_unstructure_hook_func(is_size_limited, to_size_limited_json)
    converter.register_structure_hook_func(is_size_limited, _structure_limited_json)
    converter.register_structure_hook_factory(
        _is_tuple, lambda cls: _make_tuple_structure(converter, cls)
    )
    converter.register_structure_hook_factory(
        attrs.has, lambda cls: _make_structure(converter, cls)
    )
    return converter


def _is_tuple(cls: Any) -> bool:
    return get_origin(cls) is tuple


def _is_json(cls: Any) -> bool:
    return bool(cls == Json)


def is_size_limited(annotation: Any) -> bool:
    """Return whether an annotation is that of a receipt or handle, which may be None or not."""
    return bool(annotation in (LimitedJson, LimitedJson | None))


def _make_structure(converter: "Converter", cls: Any) -> Any:
    from cattrs.gen import make_dict_structure_fn

    structure = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True)

    def read(value: Any, _: Any) -> Any:
        return structure(_require_mapping(value), cls)

    return read


def _make_tuple_structure(converter: "Converter", cls: Any) -> Any:
    items: Any = types.GenericAlias(list, get_args(cls)[:1])

    def read(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError(f"expected a list, got {_type_name(value)}")
        return tuple(converter.structure(value, items))

    return read


def _require_mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {_type_name(value)}")
    return value


def _structure_json_object(value: Any, _: Any) -> Any:
    return to_plain_json(_require_mapping(value))


def to_size_limited_json(value: Any) -> Any:
    """Return a plain copy of a receipt or handle, or None for None.

    Raises:
        TypeError: it is no JSON object.
        ValueError: it is larger than ``RECEIPT_LIMIT``.
        RecursionError: it is nested too deeply.
    """
    if value is None:
        return None
    copy = to_plain_json(_require_mapping(value))
    text = json.dumps(copy, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode(errors="surrogatepass"))  # names of files may hold any byte
    if size > RECEIPT_LIMIT:
        raise ValueError(
            f"{size} bytes of JSON, where at most {RECEIPT_LIMIT} are kept: keep the data in the "
            "service and its id here"
        )
    return copy


def _structure_limited_json(value: Any, annotation: Any) -> Any:
    return to_size_limited_json(_require_mapping(value) if annotation == LimitedJson else value)


def _unstructure_datetime(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone: give it in UTC")
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _structure_datetime(value: Any, _: Any) -> datetime:
    return read_instant(_require_type(value, str))


def read_instant(value: str) -> datetime:
    """Return the instant that a text in ISO 8601 names, in UTC.

    Raises:
        ValueError: it names none, has no zone, or lies where it cannot be computed with.
    """
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"{value!r} is no instant: write it in ISO 8601 with its zone")
    if not _EARLIEST <= instant < _LATEST:
        raise ValueError(f"{value!r} is no instant from 1970 to 9000: write such a one")
    return instant.astimezone(UTC)


def _require_finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number in JSON: use a finite one, or null")
    return value


def _structure_float(value: Any, _: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {_type_name(value)}")
    try:
        return _require_finite(float(value))
    except OverflowError:
        raise ValueError("the number is too large") from None


def _require_type(value: Any, cls: type[T]) -> T:
    # cattrs would convert: 5 to "5", "false" to True.
    if not isinstance(value, cls) or (isinstance(value, bool) and cls is not bool):
        raise TypeError(f"expected {cls.__name__}, got {_type_name(value)}")
    return value


def _type_name(value: Any) -> str:
    return "null" if value is None else type(value).__name__
