"""Servers, volumes, snapshots and images: seen, and removed."""

import enum
from collections.abc import Iterable, Sequence
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, Leftover, Transient
from karbor_backup_freezer.cloud.faults import NotFound, asking
from karbor_backup_freezer.cloud.services import CloudServices


class Kind(enum.StrEnum):
    """What a backup or a restore may make in a cloud."""

    SERVER = "server"
    IMAGE = "image"
    VOLUME = "volume"
    SNAPSHOT = "volume snapshot"


BUSY: Final = {
    Kind.SERVER: frozenset({"BUILD", "REBUILD", "REBOOT", "HARD_REBOOT"}),
    Kind.IMAGE: frozenset({"queued", "saving", "uploading", "importing"}),
    Kind.VOLUME: frozenset(
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
    Kind.SNAPSHOT: frozenset(
        {"backing-up", "creating", "deleting", "restoring", "unmanaging", "updating"}
    ),
}
"""States that the service itself is to end."""

_NOUNS: Final = {
    Kind.SERVER: ("compute", "server"),
    Kind.IMAGE: ("image", "image"),
    Kind.VOLUME: ("block_storage", "volume"),
    Kind.SNAPSHOT: ("block_storage", "snapshot"),
}
"""openstacksdk's words for them: the service, and the noun in its methods' names."""

_REMOVABLE: Final = {
    Kind.VOLUME: frozenset(
        {"available", "error", "error_extending", "error_managing", "error_restoring"}
    ),
    Kind.SNAPSHOT: frozenset({"available", "error"}),
}
"""States in which Cinder removes; Nova and Glance remove in any."""


@attrs.frozen
class Removal:
    """How far a removal has come.

    Attributes:
        pending: what is still there and will go; to be looked at again.
        leftovers: what stays, with the reason.
    """

    pending: tuple[Leftover, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


class Things:
    """The servers, volumes, snapshots and images of one project.

    Every method raises ``Transient`` where a repeat may help and ``BackendError`` where not.

    Args:
        services: the way to them.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def all(self, kind: Kind) -> Sequence[Any]:
        """All of a kind that belong to the project, oldest first."""
        owned = {"owner": self._services.project} if kind is Kind.IMAGE else {}
        with asking(f"the cloud for the {kind}s of the project"):
            found = list(self._call(kind, "{}s", **owned))
        return sorted(found, key=lambda thing: (thing.created_at, thing.id))

    def get(self, kind: Kind, identifier: str) -> Any | None:
        """One of them as openstacksdk gives it, None where the cloud knows none of that id."""
        try:
            with asking(f"the cloud for {kind} {identifier}"):
                return self._call(kind, "get_{}", identifier)
        except NotFound:
            return None

    def remove(self, kind: Kind, things: Iterable[Any]) -> Removal:
        """Ask for the removal of what can be removed now.

        Args:
            kind: what they are.
            things: as ``all`` or ``get`` gave them.
        """
        pending: list[Leftover] = []
        leftovers: list[Leftover] = []
        for thing in things:
            reason = self._remove(kind, thing)
            if reason is None:
                pending.append(Leftover(kind, thing.id, f"{thing.name!r} is on its way out"))
            elif reason:
                leftovers.append(Leftover(kind, thing.id, reason))
        return Removal(tuple(pending), tuple(leftovers))

    def _remove(self, kind: Kind, thing: Any) -> str | None:
        """Answer why it stays, None where it is on its way out, nothing where it is gone."""
        if kind in _REMOVABLE and thing.status not in _REMOVABLE[kind]:
            stuck = thing.status.startswith("error")
            return f"{thing.name!r} is in state {thing.status}" if stuck else None
        try:
            with asking(f"the cloud to remove {kind} {thing.id}"):
                self._call(kind, "delete_{}", thing.id, ignore_missing=False)
        except NotFound:
            return ""
        except Transient:
            raise
        except BackendError as error:
            found = self.get(kind, thing.id)
            if found is None:
                return ""
            return str(error) if found.status == thing.status else None
        return "" if kind is Kind.IMAGE else None

    def _call(self, kind: Kind, method: str, *arguments: Any, **options: Any) -> Any:
        service, noun = _NOUNS[kind]
        proxy = getattr(self._services.sdk, service)
        return getattr(proxy, method.format(noun))(*arguments, **options)


def is_busy(kind: Kind, thing: Any) -> bool:
    """Whether its service is still at work on it."""
    return thing.status in BUSY[kind] or bool(getattr(thing, "task_state", None))


def image_name(volume: Any) -> str:
    """The name of the image that a volume was made from, empty where there was none."""
    return str((volume.volume_image_metadata or {}).get("image_name", ""))
