"""Everything that there is of a project, to be compared before and after."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from keystoneauth1.adapter import Adapter

if TYPE_CHECKING:
    from openstack.connection import Connection

ResourceKey = tuple[str, str, str]
"""Type, id and name."""

_FREEZER = {"jobs": "job", "actions": "action", "backups": "backup"}
_PAGE = 500


def list_resources(cloud: "Connection", freezer: Adapter) -> set[ResourceKey]:
    """Return the project's resources, and what Freezer keeps in it.

    Args:
        cloud: a connection in the project.
        freezer: the Freezer API, with the project in its URL.
    """
    entries = {
        (kind, resource.id, resource.name or "")
        for kind, resources in _resource_listings(cloud).items()
        for resource in resources()
    }
    return entries | {
        (f"freezer {name}", entry[f"{name}_id"], entry.get("description") or "")
        for collection, name in _FREEZER.items()
        for entry in _list_entries(freezer, collection)
    }


def _resource_listings(cloud: "Connection") -> Mapping[str, Callable[[], Iterable[Any]]]:
    project = cloud.current_project_id
    return {
        "server": cloud.compute.servers,
        "volume": cloud.block_storage.volumes,
        "volume snapshot": cloud.block_storage.snapshots,
        "volume backup": cloud.block_storage.backups,
        "image": lambda: cloud.image.images(owner=project),
        "port": lambda: cloud.network.ports(project_id=project),
    }


def _list_entries(freezer: Adapter, collection: str) -> Iterable[Mapping[str, Any]]:
    offset = 0
    while page := _read_page(freezer, collection, offset):
        yield from page
        offset += len(page)


def _read_page(freezer: Adapter, collection: str, offset: int) -> list[Mapping[str, Any]]:
    query = {"limit": _PAGE, "offset": offset}
    page: list[Mapping[str, Any]] = freezer.get(f"/{collection}", params=query).json()[collection]
    return page
