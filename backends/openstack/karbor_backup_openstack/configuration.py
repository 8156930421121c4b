"""What the configuration of a backend says of its cloud: the schema, and what is made of it."""

from typing import Any, ClassVar, Final

import attrs

from karbor_backup_openstack.catalog import Service

DEFAULT_TIMEOUT: Final = 30.0
"""Seconds that a request may take where neither the configuration nor ``clouds.yaml`` says."""

_TEXT: Final = {"type": "string", "minLength": 1}

CLOUD_PROPERTIES: Final[dict[str, Any]] = {
    "cloud": {**_TEXT, "description": "The cloud in clouds.yaml; without it, OS_* decides."},
    "region": {**_TEXT, "description": "The region, where the cloud has several."},
    "interface": {
        "enum": ["public", "internal", "admin"],
        "description": "Which of the catalog's endpoints to use.",
    },
    "timeout": {
        "type": "number",
        "exclusiveMinimum": 0,
        "description": (
            "Seconds that a request may take, one to Keystone too; without it, what "
            "clouds.yaml says (api_timeout), or 30."
        ),
    },
}
"""The properties that name a cloud, in the schema of a backend's configuration."""


@attrs.frozen
class CloudConfiguration:
    """Which cloud, and which service of it keeps the backups.

    Attributes:
        service: the service.
        cloud: the cloud's name in ``clouds.yaml``, None for what ``OS_*`` says.
        region: the region's name, None for the cloud's own.
        interface: the kind of endpoint, None for the cloud's own.
        endpoint: the service's URL, None for the catalog's.
        timeout: seconds that one request may take, None for the cloud's own.
    """

    service: ClassVar[Service]

    cloud: str | None
    region: str | None
    interface: str | None
    endpoint: str | None
    timeout: float | None
