"""What is kept of a resource of the cloud to make it again: a schema for each type."""

from collections.abc import Collection, Mapping
from typing import Final

from karbor_backup_core import Json
from karbor_backup_openstack.resource_types import IMAGE, SERVER, VOLUME

_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_SIZE: Final = {"type": "integer", "minimum": 0, "maximum": 2**40}
_ID: Final = {"type": "string", "pattern": r"^[A-Za-z0-9._-]+$", "maxLength": 255}
_SCALARS: Final = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
}


def object_schema(required: Collection[str] = (), **properties: Json) -> Json:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


_VOLUME_DETAILS: Final = object_schema(
    volume_type=_TEXT,
    availability_zone=_TEXT,
    metadata=_SCALARS,
    bootable={"type": "boolean"},
    image_metadata=_SCALARS,
    multiattach={"type": "boolean"},
    description=_TEXT,
)
_IMAGE_DETAILS: Final = object_schema(
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
_SERVER_DETAILS: Final = object_schema(
    image_properties=_SCALARS,
    flavor=object_schema(
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
        "items": object_schema(
            ["network"],
            network=_ID,
            network_name=_TEXT,
            port=_ID,
            mac=_TEXT,
            fixed_ips={
                "type": "array",
                "items": object_schema(["ip_address"], ip_address=_TEXT, subnet_id=_ID),
            },
            security_groups={"type": "array", "items": _ID},
            allowed_address_pairs={
                "type": "array",
                "items": object_schema(["ip_address"], ip_address=_TEXT, mac_address=_TEXT),
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
DETAILS: Final[Mapping[str, Json]] = {
    VOLUME: _VOLUME_DETAILS,
    IMAGE: _IMAGE_DETAILS,
    SERVER: _SERVER_DETAILS,
}
"""By type of resource."""
