"""What a Freezer action says for each type of resource.

Which ids and words select the agent's mode was seen with freezer 19.0.0 on a real cloud: Nova
needs ``engine_name`` as well as ``mode`` and the id, else the agent backs up files and fails.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from karbor_backup_core import Resource
from karbor_backup_freezer.agent_text import (
    check_identifier,
    check_path,
    check_restore_path,
    escaped,
)

DIRECTORY: Final = "Freezer::FileSystem::Directory"
SERVER: Final = "OS::Nova::Server"
VOLUME: Final = "OS::Cinder::Volume"
PROJECT: Final = "OS::Keystone::Project"
IMAGE: Final = "OS::Glance::Image"
NETWORK: Final = "OS::Neutron::Network"

COVERED: Final = {
    IMAGE: "the server or project that uses it",
    NETWORK: "the server or project that uses it",
}
"""Types that the specification asks to be accepted and left alone, and what covers them."""


@attrs.frozen
class Kind:
    """How Freezer treats one type of resource.

    Attributes:
        type: the ecosystem's string.
        mode: the agent's mode.
        engine: the agent's engine, empty where the mode needs none.
        id_field: the action's field for the resource's id, empty for a directory.
        unverified: why a backup cannot be called good, for its checks.
    """

    type: str
    mode: str
    engine: str
    id_field: str
    unverified: str

    def selection(self, resource: Resource) -> dict[str, Any]:
        """The fields by which every action on the resource selects mode and resource.

        Raises:
            InvalidInput: the resource's id cannot be one.
        """
        fields: dict[str, Any] = {"mode": self.mode}
        if self.engine:
            fields["engine_name"] = self.engine
        if self.id_field:
            fields[self.id_field] = check_identifier(self.type, resource.id)
        return fields

    def backup_fields(self, resource: Resource) -> dict[str, Any]:
        """The fields of a backup action.

        Raises:
            InvalidInput: the resource's id cannot be one.
        """
        if self.id_field:
            return self.selection(resource)
        path = check_path("directory", resource.id)
        return {**self.selection(resource), "path_to_backup": escaped(path)}

    def restore_fields(self, resource: Resource, options: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a restore action.

        Raises:
            InvalidInput: the agent could not restore to the path.
        """
        if self.id_field:
            return self.selection(resource)
        return {
            **self.selection(resource),
            "restore_abs_path": escaped(restore_path(resource, options)),
            "overwrite": bool(options.get("overwrite", False)),
        }


def restore_path(resource: Resource, options: Mapping[str, Any]) -> str:
    """The path that a directory is restored to.

    Raises:
        InvalidInput: the agent could not restore to the path.
    """
    return check_restore_path(options.get("restore_path") or resource.id)


KINDS: Final = {
    kind.type: kind
    for kind in (
        Kind(
            DIRECTORY,
            mode="fs",
            engine="tar",
            id_field="",
            unverified="Freezer says neither how much was stored nor whether it reads back",
        ),
        Kind(
            SERVER,
            mode="nova",
            engine="nova",
            id_field="nova_inst_id",
            unverified=(
                "of a server that boots from a volume Freezer 19.0.0 stores nothing and says that "
                "it succeeded; it was not checked that this one boots from an image"
            ),
        ),
        Kind(
            VOLUME,
            mode="cinder",
            engine="",
            id_field="cinder_vol_id",
            unverified="Freezer says neither how much was stored nor whether it reads back",
        ),
        Kind(
            PROJECT,
            mode="nova",
            engine="nova",
            id_field="project_id",
            unverified=(
                "Freezer 19.0.0 reports that a project's backup succeeded even where the backup "
                "of one of its servers failed"
            ),
        ),
    )
}
"""The types that are backed up on their own."""
