"""One survey from beginning to end."""

import functools
from collections.abc import Callable
from typing import Any, Final

from karbor_backup_core import InvalidInput, Json, Resource, Unsupported
from karbor_backup_freezer.agent_text import check_identifier
from karbor_backup_freezer.cloud.faults import NotFound, Refused, asking
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.pieces import Mode, Survey
from karbor_backup_freezer.resources import IMAGE, PROJECT, SERVER, VOLUME
from karbor_backup_freezer.survey.names import name_faults
from karbor_backup_freezer.survey.projects import Projects
from karbor_backup_freezer.survey.quotas import protect_faults
from karbor_backup_freezer.survey.refusal import refuse_if
from karbor_backup_freezer.survey.servers import Servers, server_piece
from karbor_backup_freezer.survey.states import server_fault, volume_fault
from karbor_backup_freezer.survey.volumes import find_volume, volume_piece

_WORDS: Final = {SERVER: "server", VOLUME: "volume", IMAGE: "image"}


class Surveyor:
    """Finds out what a protect covers, and refuses what cannot be protected as it is now.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def survey(self, resource: Resource, options: Json) -> Survey:
        """Survey a server, a volume or a project; nothing is begun.

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
        survey_of: dict[str, Callable[[Resource, Json], Survey]] = {
            SERVER: self._server,
            VOLUME: self._volume,
            PROJECT: self._project,
        }
        if resource.type not in survey_of:
            raise Unsupported(f"{resource.type} is nothing that a cloud could tell about")
        check_identifier(resource.type, resource.id)
        try:
            survey = survey_of[resource.type](resource, options)
            if not options.get("allow_unrestorable", False):
                refuse_if(list(name_faults(survey)))
            refuse_if(protect_faults(self._services, survey.pieces))
        except NotFound as error:
            raise InvalidInput(f"{error}{self._other_type(resource)}") from error
        except Refused as error:
            raise InvalidInput(str(error)) from error
        return survey

    def _server(self, resource: Resource, options: Json) -> Survey:
        with asking(f"Nova for server {resource.id}"):
            server = self._services.sdk.compute.get_server(resource.id)
        self._check_project("server", server)
        refuse_if([server_fault(server)])
        every = bool(options.get("include_volumes", False))
        volumes = functools.cache(functools.partial(find_volume, self._services))
        writer = Servers(self._services, volumes)
        surveyed = writer.look(server, lambda one: every or one.boot_index == 0)
        included = [volumes(one.volume) for one in surveyed.notes.attachments if one.included]
        refuse_if([volume_fault(one) for one in included])
        return Survey(
            resource=Resource(SERVER, server.id, resource.name or server.name),
            pieces=(
                *((server_piece(server),) if server.image else ()),
                *(volume_piece(one, Mode.CINDER) for one in included),
            ),
            servers=(surveyed.notes,),
            checks=surveyed.checks,
        )

    def _volume(self, resource: Resource, options: Json) -> Survey:
        volume = find_volume(self._services, resource.id)
        self._check_project("volume", volume)
        refuse_if([volume_fault(volume)])
        mode = Mode(options.get("mode", Mode.CINDER))
        return Survey(
            resource=Resource(VOLUME, volume.id, resource.name or volume.name or ""),
            pieces=(volume_piece(volume, mode),),
        )

    def _project(self, resource: Resource, options: Json) -> Survey:
        own = self._services.project
        if resource.id != own:
            raise InvalidInput(
                f"project {resource.id}: the credentials are for project {own}, and see no other "
                "one's servers and volumes: use that project's credentials"
            )
        projects = Projects(self._services)
        if options.get("mode") == Mode.TENANT:
            return projects.survey_as_tenant(resource)
        return projects.survey(resource, options)

    def _check_project(self, word: str, found: Any) -> None:
        """Refuse another project's thing, which an administrator is shown."""
        own = self._services.project
        if found.project_id and found.project_id != own:
            raise InvalidInput(
                f"{word} {found.id} is of project {found.project_id}, and the credentials are for "
                f"project {own}: use that project's credentials"
            )

    def _other_type(self, resource: Resource) -> str:
        """Say that an id which is not found is one of another type, if it is."""
        sdk = self._services.sdk
        lookups = {
            SERVER: sdk.compute.get_server,
            VOLUME: sdk.block_storage.get_volume,
            IMAGE: sdk.image.get_image,
        }
        for other in lookups.keys() - {resource.type}:
            try:
                with asking(f"the cloud for {_WORDS[other]} {resource.id}"):
                    lookups[other](resource.id)
            except (NotFound, Refused):
                continue
            return f" That is the id of {other}."
        return ""
