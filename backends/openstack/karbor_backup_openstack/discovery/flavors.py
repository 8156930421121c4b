"""A server's flavor, as the server has it, and the id under which it can be asked for again."""

from typing import TYPE_CHECKING, Any, Final

from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.metadata import drop_empty
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from openstack.compute.v2.flavor import Flavor
    from openstack.compute.v2.server import Server

_SIZES: Final = ("vcpus", "ram", "disk", "ephemeral", "swap")


class FlavorDiscovery:
    """The flavors of servers, each asked for once.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services
        self._found: dict[str, Flavor | None] = {}

    def describe_flavor(self, server: "Server") -> dict[str, Any]:
        """Write down a server's flavor. Errors are those of ``errors.translate_errors``.

        Nova tells the name and the sizes that the server has (API 2.47 and later), and no id; the
        id is left out where the flavor of that name has other sizes now, or is gone.
        """
        had = server.flavor
        name = had.original_name or had.name
        sizes = {size: getattr(had, size) for size in _SIZES}
        now = self._find_flavor(name)
        same = now is not None and all(
            (getattr(now, size) or 0) == (value or 0) for size, value in sizes.items()
        )
        return drop_empty({"id": now.id if now and same else None, "name": name, **sizes})

    def _find_flavor(self, name: str) -> "Flavor | None":
        if name not in self._found:
            with translate_errors(f"Nova for flavor {name!r}"):
                self._found[name] = self._services.sdk.compute.find_flavor(name)
        return self._found[name]
