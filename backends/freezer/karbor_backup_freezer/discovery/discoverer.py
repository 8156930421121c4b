"""The discovery of one resource, from beginning to end."""

import functools
from collections.abc import Callable
from typing import Final

from karbor_backup_core import InvalidInput, Json, Resource, Unsupported
from karbor_backup_freezer.agent.escaping import check_identifier
from karbor_backup_freezer.discovery.items import server_item, volume_item
from karbor_backup_freezer.discovery.name_limits import name_problems
from karbor_backup_freezer.discovery.projects import ProjectDiscovery
from karbor_backup_freezer.discovery.protect_quotas import protect_quota_problems
from karbor_backup_freezer.discovery.states import volume_problem
from karbor_backup_freezer.model.items import DiscoveryResult, Mode
from karbor_backup_openstack.discovery.projects import require_own_project
from karbor_backup_openstack.discovery.servers import ServerDiscovery
from karbor_backup_openstack.discovery.states import project_problem, server_problem
from karbor_backup_openstack.errors import NotFound, Refused, translate_errors
from karbor_backup_openstack.problems import raise_for_problems
from karbor_backup_openstack.resource_types import (
    IMAGE,
    PROJECT,
    SERVER,
    VOLUME,
)
from karbor_backup_openstack.services import CloudServices
from karbor_backup_openstack.volumes import find_volume

_TYPE_NAMES: Final = {SERVER: "server", VOLUME: "volume", IMAGE: "image"}


class Discoverer:
    """Finds out what a protect covers, and refuses what cannot be protected as it is now.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def discover(self, resource: Resource, options: Json) -> DiscoveryResult:
        """Discover a server, a volume or a project; nothing is started.

        Args:
            resource: what is to be protected.
            options: of the protect, valid by its schema.

        Raises:
            InvalidInput: it does not exist here, may not be seen, is in a state in which it cannot
                be backed up, is encrypted, has a name that is too long to be restored, or a quota
                is too small for the agent's copies.
            Transient: a repeat may help.
            BackendError: the cloud does not tell.
        """
        discover_by_type: dict[str, Callable[[Resource, Json], DiscoveryResult]] = {
            SERVER: self._discover_server,
            VOLUME: self._discover_volume,
            PROJECT: self._discover_project,
        }
        if resource.type not in discover_by_type:
            raise Unsupported(f"the Freezer backend does not discover {resource.type}")
        check_identifier(resource.type, resource.id)
        try:
            discovery = discover_by_type[resource.type](resource, options)
            if not options.get("allow_unrestorable", False):
                raise_for_problems(list(name_problems(discovery)))
            raise_for_problems(protect_quota_problems(self._services, discovery.items))
        except NotFound as error:
            raise InvalidInput(f"{error}{self._find_other_type(resource)}") from error
        except Refused as error:
            raise InvalidInput(str(error)) from error
        return discovery

    def _discover_server(self, resource: Resource, options: Json) -> DiscoveryResult:
        with translate_errors(f"Nova for server {resource.id}"):
            server = self._services.sdk.compute.get_server(resource.id)
        own = self._services.project
        raise_for_problems([project_problem("server", server, own)])
        raise_for_problems([server_problem(server)])
        every = bool(options.get("include_volumes", False))
        volumes = functools.cache(functools.partial(find_volume, self._services))
        writer = ServerDiscovery(self._services, volumes)
        discovered = writer.discover_server(server, lambda one: every or one.boot_index == 0)
        included = [volumes(one.volume) for one in discovered.spec.attachments if one.included]
        raise_for_problems([volume_problem(one) for one in included])
        return DiscoveryResult(
            resource=Resource(SERVER, server.id, resource.name or server.name),
            items=(
                *((server_item(server),) if server.image else ()),
                *(volume_item(one, Mode.CINDER) for one in included),
            ),
            servers=(discovered.spec,),
            checks=discovered.checks,
        )

    def _discover_volume(self, resource: Resource, options: Json) -> DiscoveryResult:
        volume = find_volume(self._services, resource.id)
        raise_for_problems([project_problem("volume", volume, self._services.project)])
        raise_for_problems([volume_problem(volume)])
        mode = Mode(options.get("mode", Mode.CINDER))
        return DiscoveryResult(
            resource=Resource(VOLUME, volume.id, resource.name or volume.name or ""),
            items=(volume_item(volume, mode),),
        )

    def _discover_project(self, resource: Resource, options: Json) -> DiscoveryResult:
        require_own_project(self._services, resource.id)
        projects = ProjectDiscovery(self._services)
        if options.get("mode") == Mode.TENANT:
            return projects.discover_as_tenant(resource)
        return projects.discover(resource, options)

    def _find_other_type(self, resource: Resource) -> str:
        """Describe that an id which is not found is one of another type, if it is."""
        sdk = self._services.sdk
        lookups = {
            SERVER: sdk.compute.get_server,
            VOLUME: sdk.block_storage.get_volume,
            IMAGE: sdk.image.get_image,
        }
        for other in lookups.keys() - {resource.type}:
            try:
                with translate_errors(f"the cloud for {_TYPE_NAMES[other]} {resource.id}"):
                    lookups[other](resource.id)
            except (NotFound, Refused):
                continue
            return f" That is the id of {other}."
        return ""
