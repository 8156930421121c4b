"""Servers, volumes, snapshots and images: seen, and removed."""

import enum
from collections.abc import Iterable, Sequence
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, Leftover, Transient
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.services import CloudServices


class ResourceKind(enum.StrEnum):
    """What a backup or a restore may make in a cloud."""

    SERVER = "server"
    IMAGE = "image"
    VOLUME = "volume"
    SNAPSHOT = "volume snapshot"


BUSY_STATES: Final = {
    ResourceKind.SERVER: frozenset({"BUILD", "REBUILD", "REBOOT", "HARD_REBOOT"}),
    ResourceKind.IMAGE: frozenset({"queued", "saving", "uploading", "importing"}),
    ResourceKind.VOLUME: frozenset(
        {
            "attaching",
            "awaiting-transfer",
            "backing-up",
            "creating",
            "deleting",
            "detaching",
            "downloading",
            "extending",
            "maintenance",
            "reserved",
            "restoring-backup",
            "retyping",
            "uploading",
        }
    ),
    ResourceKind.SNAPSHOT: frozenset(
        {"backing-up", "creating", "deleting", "restoring", "unmanaging", "updating"}
    ),
}
"""States that the service itself is to end."""

_NOUNS: Final = {
    ResourceKind.SERVER: ("compute", "server"),
    ResourceKind.IMAGE: ("image", "image"),
    ResourceKind.VOLUME: ("block_storage", "volume"),
    ResourceKind.SNAPSHOT: ("block_storage", "snapshot"),
}
"""openstacksdk's words for them: the service, and the noun in its methods' names."""

_REMOVABLE_STATES: Final = {
    ResourceKind.VOLUME: frozenset(
        {"available", "error", "error_extending", "error_managing", "error_restoring"}
    ),
    ResourceKind.SNAPSHOT: frozenset({"available", "error"}),
}
"""States in which Cinder removes; Nova and Glance remove in any."""


@attrs.frozen
class RemovalStatus:
    """How far a removal has come.

    Attributes:
        pending: what is still there and will go; to be looked at again.
        leftovers: what stays, with the reason.
    """

    pending: tuple[Leftover, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


class CloudResources:
    """The servers, volumes, snapshots and images of one project.

    Every method raises ``Transient`` where a repeat may help and ``BackendError`` where not.

    Args:
        services: the way to them.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def list_all(self, kind: ResourceKind) -> Sequence[Any]:
        """All of a kind that belong to the project, oldest first."""
        owned = {"owner": self._services.project} if kind is ResourceKind.IMAGE else {}
        with translate_errors(f"the cloud for the {kind}s of the project"):
            found = list(self._call(kind, "{}s", **owned))
        return sorted(found, key=lambda resource: (resource.created_at, resource.id))

    def get(self, kind: ResourceKind, identifier: str) -> Any | None:
        """One of them as openstacksdk gives it, None where the cloud knows none of that id."""
        try:
            with translate_errors(f"the cloud for {kind} {identifier}"):
                return self._call(kind, "get_{}", identifier)
        except NotFound:
            return None

    def remove_resources(self, kind: ResourceKind, resources: Iterable[Any]) -> RemovalStatus:
        """Ask for the removal of what can be removed now.

        Args:
            kind: what they are.
            resources: as ``all`` or ``get`` gave them.
        """
        pending: list[Leftover] = []
        leftovers: list[Leftover] = []
        for resource in resources:
            reason = self._remove_resource(kind, resource)
            if reason is None:
                pending.append(Leftover(kind, resource.id, f"{resource.name!r} is on its way out"))
            elif reason:
                leftovers.append(Leftover(kind, resource.id, reason))
        return RemovalStatus(tuple(pending), tuple(leftovers))

    def _remove_resource(self, kind: ResourceKind, resource: Any) -> str | None:
        """Return why it stays, None where it is on its way out, nothing where it is gone."""
        if kind in _REMOVABLE_STATES and resource.status not in _REMOVABLE_STATES[kind]:
            stuck = resource.status.startswith("error")
            return f"{resource.name!r} is in state {resource.status}" if stuck else None
        try:
            with translate_errors(f"the cloud to remove {kind} {resource.id}"):
                self._call(kind, "delete_{}", resource.id, ignore_missing=False)
        except NotFound:
            return ""
        except Transient:
            raise
        except BackendError as error:
            found = self.get(kind, resource.id)
            if found is None:
                return ""
            return str(error) if found.status == resource.status else None
        return "" if kind is ResourceKind.IMAGE else None

    def _call(self, kind: ResourceKind, method: str, *arguments: Any, **options: Any) -> Any:
        service, noun = _NOUNS[kind]
        proxy = getattr(self._services.sdk, service)
        return getattr(proxy, method.format(noun))(*arguments, **options)


def is_busy(kind: ResourceKind, resource: Any) -> bool:
    """Whether its service is still at work on it."""
    return resource.status in BUSY_STATES[kind] or bool(getattr(resource, "task_state", None))


def source_image_name(volume: Any) -> str:
    """Return the name of the image that a volume was made from, empty where there was none."""
    return str((volume.volume_image_metadata or {}).get("image_name", ""))
