"""What a receipt and a handle may say, checked whenever one is read.

They come back from stores, from Karbor's bank and from files that anybody may have written.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from karbor_backup_core import BackendError, Backup, InvalidInput, Json, Operation
from karbor_backup_openstack.details import DETAILS, object_schema
from karbor_backup_openstack.formats import check_handle_format, check_receipt_format
from karbor_backup_openstack.resource_types import SERVER, VOLUME

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

T = TypeVar("T")

FORMAT: Final = 1
"""The format of receipts and handles that this version writes and reads."""

_ID: Final = {"type": "string", "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_TEXT: Final = {"type": "string", "maxLength": 255}

_VOLUME: Final = {
    "type": "object",
    "properties": {
        "id": _ID,
        "name": _TEXT,
        "size": {"type": "integer", "minimum": 0, "maximum": 2**31},
        "volume_type": _TEXT,
        "availability_zone": _TEXT,
        "description": _TEXT,
        "bootable": {"type": "boolean"},
    },
    "required": ["id", "size"],
    "additionalProperties": False,
}

_ID_OR_NONE: Final = {"anyOf": [_ID, {"const": ""}]}
_STORED_VOLUME: Final = object_schema(
    ["id", "size"],
    id=_ID,
    name=_TEXT,
    size={"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    details=DETAILS[VOLUME],
    backup=_ID_OR_NONE,
    parent=_ID_OR_NONE,
)
_ATTACHMENT: Final = object_schema(
    ["volume", "included"],
    volume=_ID,
    device={"type": "string", "pattern": "^[A-Za-z0-9/_.-]*$"},
    boot_index={"type": ["integer", "null"]},
    delete_on_termination={"type": "boolean"},
    included={"type": "boolean"},
)
_SERVER: Final = object_schema(
    ["id", "name", "boots_from_volume", "details"],
    id=_ID,
    name=_TEXT,
    boots_from_volume={"type": "boolean"},
    attachments={"type": "array", "items": _ATTACHMENT},
    details=DETAILS[SERVER],
)
_CONTENTS: Final[Mapping[str, Json]] = {
    "format": {"type": "integer"},
    "volumes": {"type": "array", "items": _STORED_VOLUME},
    "servers": {"type": "array", "items": _SERVER},
    "images": {"type": "object", "propertyNames": _ID, "additionalProperties": _ID},
}

RECEIPT: Final = "receipt"
HANDLE: Final = "handle"
SET_RECEIPT: Final = "receipt of a set"
SET_HANDLE: Final = "handle of a set"

_SCHEMAS: Final[Mapping[str, Json]] = {
    RECEIPT: {
        "type": "object",
        "properties": {
            "format": {"type": "integer"},
            "step": {"type": "string"},
            "backup": _ID,
            "volume": _ID,
            "source": _VOLUME,
            "parent": _ID,
            "removing": {"type": "boolean"},
        },
        "additionalProperties": False,
    },
    HANDLE: {
        "type": "object",
        "properties": {
            "format": {"type": "integer"},
            "backup": _ID,
            "source": _VOLUME,
            "digest": {"type": "string"},
        },
        "required": ["format", "backup", "source", "digest"],
        "additionalProperties": False,
    },
    SET_RECEIPT: object_schema(
        **_CONTENTS,
        step={"type": "string"},
        checks={
            "type": "array",
            "items": {
                "type": "array",
                "prefixItems": [{"type": "string"}, {"type": "boolean"}, {"type": "string"}],
                "minItems": 3,
                "maxItems": 3,
            },
        },
        restored={"type": "object"},
        begun={"type": "array", "items": _ID},
        removing={"type": "boolean"},
    ),
    SET_HANDLE: object_schema(
        ["format", "volumes", "servers", "images", "digest"],
        **_CONTENTS,
        digest={"type": "string"},
    ),
}


def check_document(kind: str, document: Json) -> None:
    """Check a receipt or a handle.

    Raises:
        InvalidInput: it is not as it was written.
    """
    problem = next(_validator(kind).iter_errors(document), None)
    if problem is not None:
        raise InvalidInput(f"{kind}{problem.json_path[1:]}: {problem.message[:200]}")


def read_receipt(operation: Operation, kind: str, parse: Callable[[Json], T]) -> T:
    """Return what a parser makes of an operation's receipt; it gets an empty one if there is none.

    Args:
        operation: has the receipt.
        kind: of receipt.
        parse: gets a document that is as it was written; may raise ``InvalidInput``.

    Raises:
        BackendError: it was written by another version, or is damaged.
    """
    document = operation.receipt or {}
    check_receipt_format(document.get("format", FORMAT), FORMAT)
    try:
        check_document(kind, document)
        return parse(document)
    except InvalidInput as error:
        raise BackendError(f"the receipt is damaged: {error}") from None


def read_handle(backup: Backup, kind: str, parse: Callable[[Backup], T]) -> T:
    """Return what a parser makes of a backup's handle, once that is known to be this backup's.

    Args:
        backup: has the handle.
        kind: of handle.
        parse: may raise ``InvalidInput`` of what does not fit the backup.

    Raises:
        InvalidInput: it is of another format, damaged, or another backup's.
    """
    check_handle_format(backup, FORMAT)
    try:
        check_document(kind, backup.handle)
        _check_digest(backup)
        return parse(backup)
    except InvalidInput as error:
        raise InvalidInput(f"backup {backup.id}: its handle is damaged: {error}") from None


def _check_digest(backup: Backup) -> None:
    if backup.handle["digest"] != compute_digest(backup.handle, backup.whole_id):
        raise InvalidInput("its digest is not that of its entries and its backup")


def compute_digest(document: Json, backup_id: str) -> str:
    """Return the digest of a handle's other entries, and of the id of its backup.

    It tells damage and a handle of another backup; it is no signature.
    """
    covered = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps([backup_id, covered], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _validator(kind: str) -> "Draft202012Validator":
    import jsonschema

    return jsonschema.Draft202012Validator(_SCHEMAS[kind])


def drop_missing(**values: Any) -> dict[str, Any]:
    """Return the values that are there: not None, empty or false."""
    return {key: value for key, value in values.items() if value}
