"""Cinder's own backups: what became of them, and their exact removal.

Freezer's mode ``cindernative`` succeeds when Cinder has taken the request, and removes by age;
so Cinder itself is asked, about this very backup (freezer 19.0.0, ``job.py`` and
``openstack/admin.py``).
"""

import enum
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from karbor_backup_core import Leftover, Progress, ProgressState
from karbor_backup_openstack.errors import NotFound, Refused, translate_errors
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from openstack.block_storage.v3.backup import Backup as CinderBackup

LEFTOVER_KIND: Final = "cinder backup"
"""How a leftover of this kind is called."""

_GIB: Final = 2**30


class NativeBackupState(enum.Enum):
    """How far a backup of Cinder is."""

    RUNNING = enum.auto()
    """Cinder writes it."""
    AVAILABLE = enum.auto()
    """It is whole; a restore of it may be going on."""
    DELETING = enum.auto()
    """Cinder removes it."""
    FAILED = enum.auto()
    """It is broken, or its removal failed."""
    GONE = enum.auto()
    """Cinder knows no backup of that id."""


_STATES: Final[Mapping[str, NativeBackupState]] = {
    "creating": NativeBackupState.RUNNING,
    "available": NativeBackupState.AVAILABLE,
    "restoring": NativeBackupState.AVAILABLE,
    "error_restoring": NativeBackupState.AVAILABLE,
    "deleting": NativeBackupState.DELETING,
    "deleted": NativeBackupState.GONE,
    "error": NativeBackupState.FAILED,
    "error_deleting": NativeBackupState.FAILED,
}

_REMOVABLE: Final = frozenset({"available", "error"})
"""States in which Cinder 29 lets a project remove a backup; others need an administrator."""


@attrs.frozen(kw_only=True)
class NativeBackup:
    """What Cinder says of one backup.

    Attributes:
        id: its id.
        status: Cinder's own word, empty where it knows nothing of the backup.
        reason: why it is no good, in one line with Cinder's words; empty otherwise.
        size: the bytes that the volume had; Cinder counts in GiB and does not tell how many bytes
            its backup takes.
        name: its name, which ends with the id of the protect that made it.
        volume: the id of the volume that it was made of.
        data_timestamp: when its data was taken, as Cinder writes instants.
        incremental: whether it holds only what has changed since another one.
        has_dependents: whether others are based on it, so that Cinder does not remove it.
    """

    id: str
    status: str = ""
    reason: str = ""
    size: int = 0
    name: str = ""
    volume: str = ""
    data_timestamp: str = ""
    incremental: bool = False
    has_dependents: bool = False

    def belongs_to(self, backup_id: str, volume: str) -> bool:
        """Return whether it is provably of a backup and a volume, or is gone."""
        return self.state is NativeBackupState.GONE or (
            self.name.endswith(f"_{backup_id}") and self.volume == volume
        )

    def to_leftover(self) -> Leftover:
        """Return it as what an operation leaves or waits for."""
        return Leftover(LEFTOVER_KIND, self.id, self.reason or f"Cinder calls it {self.status!r}")

    @property
    def state(self) -> NativeBackupState:
        """How far it is. A state that this version does not know is taken for work going on."""
        return (
            _STATES.get(self.status, NativeBackupState.RUNNING)
            if self.status
            else NativeBackupState.GONE
        )


@attrs.frozen(kw_only=True)
class NativeRemovalStatus:
    """How far the removal of some backups is.

    Attributes:
        waiting: those that Cinder still works on: ask again.
        stuck: those that it does not remove, with its reason.
    """

    pending: tuple[Leftover, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


class NativeBackupClient:
    """Cinder's own backups of one project. Nothing here waits.

    Every method raises ``Transient`` where Cinder cannot be asked now, and ``BackendError`` where
    it refuses to tell.

    Args:
        services: the way to Cinder.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def get_backups(self, ids: Collection[str]) -> Mapping[str, NativeBackup]:
        """Return how these backups stand: one request for one, a list for more.

        One that the list has missed is asked for alone, since pages shift while others delete.
        """
        found = self._list_backups(ids) if len(ids) > 1 else {}
        return {id_: found.get(id_) or self.get_backup(id_) for id_ in ids}

    def get_backup(self, id_: str) -> NativeBackup:
        """Return how one backup stands."""
        try:
            with translate_errors(f"Cinder for backup {id_}"):
                return _to_native_backup(self._services.sdk.block_storage.get_backup(id_))
        except NotFound:
            return NativeBackup(id=id_, reason=f"Cinder has no backup {id_}")

    def find_by_name(self, name: str, volume: str) -> tuple[str, ...]:
        """Return the ids of the backups of that volume that have that name, those only.

        This is how one is found that Freezer has begun and left no record of.
        """
        with translate_errors(f"Cinder for the backups of volume {volume}"):
            listed = self._services.sdk.block_storage.backups(name=name, volume_id=volume)
            return tuple(b.id for b in listed if b.name == name and b.volume_id == volume)

    def find_all_by_name(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Return the ids of the backups that have that name, by the ids of their volumes."""
        with translate_errors("Cinder for its backups"):
            listed = self._services.sdk.block_storage.backups(details=True, name=name)
            found = [(backup.volume_id, backup.id) for backup in listed if backup.name == name]
        return {volume: tuple(id_ for of, id_ in found if of == volume) for volume in dict(found)}

    def list_of_volume(self, volume: str) -> tuple[NativeBackup, ...]:
        """Return all backups of a volume that the project sees, the oldest data first."""
        with translate_errors(f"Cinder for the backups of volume {volume}"):
            listed = self._services.sdk.block_storage.backups(details=True, volume_id=volume)
            found = [_to_native_backup(b) for b in listed if b.volume_id == volume]
        return tuple(sorted(found, key=lambda backup: (backup.data_timestamp, backup.id)))

    def remove_backups(self, volumes: Mapping[str, str], backup_id: str) -> NativeRemovalStatus:
        """Ask Cinder to remove these backups, and tell which are still there.

        It may be asked again and again: one that is leaving, or gone, is not asked for twice. One
        that is not provably of this backup is left alone, and told.

        Args:
            volumes: the volume that each was made of, by the id of Cinder's backup.
            backup_id: the id of the protect that had Cinder make them.
        """
        waiting, stuck = [], []
        for id_, volume in volumes.items():
            state = self.get_backup(id_)
            if not state.belongs_to(backup_id, volume):
                note = f"Cinder calls it {state.name!r}: it is not provably of backup {backup_id}"
                stuck.append(Leftover(LEFTOVER_KIND, id_, note))
                continue
            if state.status in _REMOVABLE:
                state = self._request_removal(state)
            if state.state is NativeBackupState.FAILED:
                stuck.append(state.to_leftover())
            elif state.state is not NativeBackupState.GONE:
                waiting.append(state.to_leftover())
        return NativeRemovalStatus(pending=tuple(waiting), leftovers=tuple(stuck))

    def _request_removal(self, state: NativeBackup) -> NativeBackup:
        try:
            with translate_errors(f"Cinder to remove backup {state.id}"):
                self._services.sdk.block_storage.delete_backup(state.id)
        except Refused as error:
            # Somebody else may have begun to remove it just now.
            after = self.get_backup(state.id)
            if after.status not in _REMOVABLE:
                return after
            return attrs.evolve(after, status="error_deleting", reason=str(error))
        return attrs.evolve(state, status="deleting")

    def _list_backups(self, ids: Collection[str]) -> Mapping[str, NativeBackup]:
        with translate_errors("Cinder for its backups"):
            listed = self._services.sdk.block_storage.backups(details=True)
            return {backup.id: _to_native_backup(backup) for backup in listed if backup.id in ids}


def _to_native_backup(backup: "CinderBackup | Any") -> NativeBackup:
    status = backup.status or ""
    return NativeBackup(
        id=backup.id,
        status=status,
        reason=_reason(backup),
        size=(backup.size or 0) * _GIB,
        name=backup.name or "",
        volume=backup.volume_id or "",
        data_timestamp=backup.data_timestamp or backup.created_at or "",
        incremental=bool(backup.is_incremental),
        has_dependents=bool(backup.has_dependent_backups),
    )


def _reason(backup: "CinderBackup | Any") -> str:
    if _STATES.get(backup.status) not in (NativeBackupState.FAILED, NativeBackupState.DELETING):
        return ""
    fail_reason = " ".join((backup.fail_reason or "").split()) or "Cinder gives no reason"
    if backup.status == "error_deleting":
        return (
            f"Cinder could not remove its backup {backup.id}: {fail_reason}; an administrator can"
        )
    if backup.status == "error":
        return f"Cinder's backup {backup.id} failed: {fail_reason}"
    return f"Cinder removes its backup {backup.id}"


def removal_failure(left: Collection[Leftover]) -> Progress:
    """Return the failure of a delete some of whose backups Cinder does not remove."""
    reason = "; ".join(each.note for each in left)
    return Progress(ProgressState.FAILED, reason=reason, leftovers=tuple(left))


def name_busy_backups(
    client: NativeBackupClient, ids: Collection[str], *states: NativeBackupState
) -> tuple[Leftover, ...]:
    """Name those of Cinder's own backups that are in one of these states.

    Args:
        client: Cinder; errors are its methods'.
        ids: the backups.
        states: the states.
    """
    return tuple(
        Leftover(LEFTOVER_KIND, backup.id, f"Cinder calls it {backup.status!r}")
        for backup in client.get_backups(set(ids)).values()
        if backup.state in states
    )
