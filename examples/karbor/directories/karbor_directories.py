"""A protectable plugin of Karbor: the directories that the configuration names.

An example of how a resource whose id cannot be one in Karbor's bank is made known to a backend: a
path holds slashes. So its id in Karbor is made from the path, and ``extra_info`` holds the path.
"""

# ruff: noqa: ARG002 - Karbor gives every plugin more than this one needs
# ruff: noqa: INP001 - a distribution of one module

import uuid
from collections.abc import Sequence
from typing import Any

from karbor import exception
from karbor.resource import Resource
from karbor.services.protection import protectable_plugin
from oslo_config import cfg

TYPE = "Freezer::FileSystem::Directory"

OPTIONS = [
    cfg.ListOpt("paths", default=[], help="The absolute paths of the directories to offer."),
]


class DirectoryProtectable(protectable_plugin.ProtectablePlugin):  # type: ignore[misc]  # untyped
    """Lists the directories in ``[directory_protectable] paths``."""

    def get_resource_type(self) -> str:
        """Return the type that the Freezer backend knows."""
        return TYPE

    def get_parent_resource_types(self) -> tuple[str, ...]:
        """Return none: a directory belongs to nothing."""
        return ()

    def list_resources(self, context: Any, parameters: Any = None) -> Sequence[Any]:
        """List the directories."""
        self._conf.register_opts(OPTIONS, "directory_protectable")
        return [directory(path) for path in self._conf.directory_protectable.paths]

    def show_resource(self, context: Any, resource_id: str, parameters: Any = None) -> Any:
        """Return one directory.

        Raises:
            ProtectableResourceNotFound: none has that id.
        """
        for each in self.list_resources(context):
            if each.id == resource_id:
                return each
        raise exception.ProtectableResourceNotFound(
            id=resource_id, type=TYPE, reason="no configured path has it"
        )

    def get_dependent_resources(self, context: Any, parent_resource: Any) -> Sequence[Any]:
        """List nothing."""
        return ()


def directory(path: str) -> Any:
    """Describe a directory as a resource of Karbor."""
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"file://{path}"))
    return Resource(TYPE, identifier, path.rpartition("/")[2], {"path": path})
