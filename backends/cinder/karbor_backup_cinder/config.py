"""The configuration: its schema, and what is made of it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

import attrs

from karbor_backup_openstack.catalog import Service
from karbor_backup_openstack.configuration import CLOUD_PROPERTIES, CloudConfiguration

CONFIG_SCHEMA: Final[dict[str, Any]] = {
    "title": "Cinder",
    "type": "object",
    "properties": CLOUD_PROPERTIES,
}


@attrs.frozen
class Configuration(CloudConfiguration):
    """The configuration of one Cinder; its URL is the catalog's, or that in ``clouds.yaml``."""

    service: ClassVar[Service] = Service(
        type="block-storage",
        name="Cinder",
        api="v3",
        override="Cinder's URL as block_storage_endpoint_override in clouds.yaml",
    )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document that is valid by ``CONFIG_SCHEMA``."""
        return cls(
            cloud=document.get("cloud"),
            region=document.get("region"),
            interface=document.get("interface"),
            endpoint=None,
            timeout=document.get("timeout"),
        )
