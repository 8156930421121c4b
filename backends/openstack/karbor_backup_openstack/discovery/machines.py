"""What the image of a server says of its machine."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from openstack.compute.v2.server import Server

_MACHINE_PREFIXES: Final = ("hw_", "os_", "img_config_drive")
_GLANCE_PREFIXES: Final = ("os_hidden", "os_hash_", "os_glance_")


def machine_properties(services: CloudServices, server: "Server") -> dict[str, str] | None:
    """Return the properties of a server's image that shape its machine, None where unknown.

    Nova tells those that the server has been made with, its own defaults among them (API 2.98 and
    later); else Glance those that the image has now. Errors are those of
    ``errors.translate_errors``.
    """
    if found := _select_machine_properties(server.image.properties or {}):
        return found
    try:
        with translate_errors(f"Glance for image {server.image.id}"):
            image = services.sdk.image.get_image(server.image.id)
    except NotFound:
        return None
    named = image.to_dict(computed=False, original_names=True)
    return _select_machine_properties({**named, **(image.properties or {})})


def _select_machine_properties(properties: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(value)
        for name, value in properties.items()
        if name.startswith(_MACHINE_PREFIXES)
        and not name.startswith(_GLANCE_PREFIXES)
        and value is not None
    }
