"""The servers and volumes of the project that the credentials are for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from karbor_backup_core import InvalidInput
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.services import CloudServices
from karbor_backup_openstack.volumes import find_volume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openstack.block_storage.v3.volume import Volume
    from openstack.compute.v2.server import Server


def require_own_project(services: CloudServices, identifier: str) -> None:
    """Refuse a project that the credentials do not show.

    Raises:
        InvalidInput: they are another one's.
    """
    own = services.project
    if identifier != own:
        raise InvalidInput(
            f"project {identifier}: the credentials are for project {own} and do not show the "
            "servers and volumes of another project: use that project's credentials"
        )


def list_project_servers(services: CloudServices) -> list["Server"]:
    """Return all servers of the project. Errors are those of ``errors.translate_errors``."""
    with translate_errors("Nova for the servers of the project"):
        return list(services.sdk.compute.servers())


def list_project_volumes(services: CloudServices) -> list["Volume"]:
    """Return all volumes of the project. Errors are those of ``errors.translate_errors``."""
    with translate_errors("Cinder for the volumes of the project"):
        return list(services.sdk.block_storage.volumes())


def volume_lookup(
    services: CloudServices, known: "Mapping[str, Volume]"
) -> Callable[[str], "Volume"]:
    """Return a function that finds a volume by its id, among those that are known first."""
    return lambda volume_id: known.get(volume_id) or find_volume(services, volume_id)
