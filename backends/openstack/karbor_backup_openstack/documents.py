"""What is kept in receipts and handles, as compact documents.

Receipts and handles are bounded, so what has its default value is not written.
"""

import enum
import functools
from typing import TYPE_CHECKING, Any, Self

from karbor_backup_core import InvalidDocument, Json

if TYPE_CHECKING:
    from cattrs import Converter


class Document:
    """Something that is kept in a receipt or a handle."""

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON."""
        document: dict[str, Any] = _converter().unstructure(self)
        return document

    @classmethod
    def from_document(cls, document: Json) -> Self:
        """Read what ``document`` has written.

        Raises:
            InvalidDocument: it is damaged, or a later version has written it.
        """
        import cattrs

        if not isinstance(document, dict):
            what = type(document).__name__
            raise InvalidDocument(f"{cls.__name__} document", [f"$: {what} is no object"])
        try:
            return _converter().structure(document, cls)
        except (cattrs.BaseValidationError, cattrs.StructureHandlerNotFoundError) as error:
            problems = cattrs.transform_error(error, "$")
            raise InvalidDocument(f"{cls.__name__} document", problems) from None


@functools.cache
def _converter() -> "Converter":
    import cattrs

    converter = cattrs.Converter(
        omit_if_default=True,
        forbid_extra_keys=True,
        unstruct_collection_overrides={tuple: list},
    )
    for primitive in (str, int, bool):
        converter.register_structure_hook(primitive, _structure_exactly)
    converter.register_structure_hook(enum.StrEnum, lambda value, cls: cls(value))
    converter.register_structure_hook_func(lambda cls: bool(cls == Json), _structure_object)
    return converter


def _structure_exactly(value: Any, cls: type[Any]) -> Any:
    # cattrs would convert: 5 to "5", "false" to True.
    if type(value) is not cls:
        raise TypeError(f"expected {cls.__name__}, got {type(value).__name__}")
    return value


def _structure_object(value: Any, _: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value
