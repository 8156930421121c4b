"""The types of resources, by the ecosystem's strings."""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core import Resource
from karbor_backup_freezer.agent.escaping import check_restore_path

DIRECTORY: Final = "Freezer::FileSystem::Directory"
SERVER: Final = "OS::Nova::Server"
VOLUME: Final = "OS::Cinder::Volume"
PROJECT: Final = "OS::Keystone::Project"
IMAGE: Final = "OS::Glance::Image"
NETWORK: Final = "OS::Neutron::Network"

SUPPORTED_TYPES: Final = (DIRECTORY, SERVER, VOLUME, PROJECT)
"""The types that are backed up on their own."""

COVERED: Final = {
    IMAGE: "the server or project that uses it",
    NETWORK: "the server or project that uses it",
}
"""Types that the specification asks to be accepted and left alone, and what covers them."""


def restore_path(resource: Resource, options: Mapping[str, Any]) -> str:
    """Return the path that a directory is restored to.

    Raises:
        InvalidInput: the agent could not restore to the path.
    """
    return check_restore_path(options.get("restore_path") or resource.id)
