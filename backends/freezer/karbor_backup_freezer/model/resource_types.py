"""The types of resources, by the ecosystem's strings."""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core import Resource
from karbor_backup_freezer.agent.escaping import check_restore_path
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME

DIRECTORY: Final = "Freezer::FileSystem::Directory"
SUPPORTED_TYPES: Final = (DIRECTORY, SERVER, VOLUME, PROJECT)
"""The types that are backed up on their own."""


def restore_path(resource: Resource, options: Mapping[str, Any]) -> str:
    """Return the path that a directory is restored to.

    Raises:
        InvalidInput: the agent could not restore to the path.
    """
    return check_restore_path(options.get("restore_path") or resource.id)
