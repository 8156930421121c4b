"""What is kept of a resource to make it again: a schema for each type, by which it is checked."""

import functools
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import InvalidInput, Json
from karbor_backup_freezer.model.resource_types import DIRECTORY, IMAGE, SERVER, VOLUME

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_SIZE: Final = {"type": "integer", "minimum": 0, "maximum": 2**40}
_ID: Final = {"type": "string", "pattern": r"^[A-Za-z0-9._-]+$", "maxLength": 255}
_SCALARS: Final = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
}


def _object_schema(required: Collection[str] = (), **properties: Json) -> Json:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


_VOLUME_DETAILS: Final = _object_schema(
    volume_type=_TEXT,
    availability_zone=_TEXT,
    metadata=_SCALARS,
    bootable={"type": "boolean"},
    image_metadata=_SCALARS,
    multiattach={"type": "boolean"},
    description=_TEXT,
)
_IMAGE_DETAILS: Final = _object_schema(
    disk_format=_TEXT,
    container_format=_TEXT,
    min_disk=_SIZE,
    min_ram=_SIZE,
    visibility=_TEXT,
    tags=_TEXTS,
    architecture=_TEXT,
    os_type=_TEXT,
    os_distro=_TEXT,
    os_version=_TEXT,
    properties={"type": "object"},
)
_SERVER_DETAILS: Final = _object_schema(
    image_properties=_SCALARS,
    flavor=_object_schema(
        ["name"],
        id={"type": "string", "maxLength": 255},
        name=_TEXT,
        vcpus=_SIZE,
        ram=_SIZE,
        disk=_SIZE,
        ephemeral=_SIZE,
        swap=_SIZE,
    ),
    networks={
        "type": "array",
        "items": _object_schema(
            ["network"],
            network=_ID,
            network_name=_TEXT,
            port=_ID,
            mac=_TEXT,
            fixed_ips={
                "type": "array",
                "items": _object_schema(["ip_address"], ip_address=_TEXT, subnet_id=_ID),
            },
            security_groups={"type": "array", "items": _ID},
            allowed_address_pairs={
                "type": "array",
                "items": _object_schema(["ip_address"], ip_address=_TEXT, mac_address=_TEXT),
            },
        ),
    },
    key_name=_TEXT,
    availability_zone=_TEXT,
    metadata=_SCALARS,
    config_drive={"type": "boolean"},
    tags=_TEXTS,
    description=_TEXT,
    required=["flavor"],
)
_DIRECTORY_DETAILS: Final = _object_schema(mounted=_TEXT)
_DETAILS: Final[Mapping[str, Json]] = {
    DIRECTORY: _DIRECTORY_DETAILS,
    VOLUME: _VOLUME_DETAILS,
    IMAGE: _IMAGE_DETAILS,
    SERVER: _SERVER_DETAILS,
}


def check_details(kind: str, details: Json) -> None:
    """Check what is kept of a resource beside its id, name and size.

    Args:
        kind: the resource's type; empty for one that keeps nothing.
        details: as they were read.

    Raises:
        InvalidInput: they are not as they were written.
    """
    if not kind and not details:
        return
    problem = next(_validator(kind).iter_errors(_to_json_types(details)), None)
    if problem is not None:
        raise InvalidInput(f"details{problem.json_path[1:]}: {problem.message[:200]}")


@functools.cache
def _validator(kind: str) -> "Draft202012Validator":
    import jsonschema

    return jsonschema.Draft202012Validator(_DETAILS.get(kind, _object_schema()))


def _to_json_types(details: Json) -> Any:
    """Return details with lists for tuples, which is all that jsonschema takes for arrays."""
    return json.loads(json.dumps(details))
