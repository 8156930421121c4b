"""The locks in the repository: those whose process is gone are removed, and no others.

``restic unlock`` alone would not do: it also removes locks of other hosts that are 30 minutes old,
which a host that was asleep or has lost its network may go on to work by. And it asks whether a
process lives by sending it SIGHUP, which ends most programs that have got the number of a restic.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import attrs
import psutil

from karbor_backup_core import BackendError, Transient
from karbor_backup_restic._restic import Restic

_RESTICS_LIMIT: Final = timedelta(minutes=30)
"""From this age on ``restic unlock`` removes a lock, whatever its process does."""

_MARGIN: Final = timedelta(minutes=5)
"""What two hosts' clocks may differ by, and the time until ``restic unlock`` looks."""

_RESTIC: Final = "restic"


@attrs.frozen
class Lock:
    """A lock as restic has written it.

    Attributes:
        id: its name in the repository.
        host: the machine's name.
        pid: the process on it.
        at: when restic made or renewed it, which it does every five minutes.
    """

    id: str
    host: str
    pid: int
    at: datetime

    @classmethod
    def parse(cls, lock_id: str, text: str) -> "Lock | None":
        """Read what ``restic cat lock`` has printed; None if it is no lock."""
        try:
            document: dict[str, Any] = json.loads(text)
            at = datetime.fromisoformat(document["time"])
            pid, host = document["pid"], document["hostname"]
        except (ValueError, TypeError, KeyError):
            return None
        if type(pid) is not int or pid <= 0 or not isinstance(host, str) or at.tzinfo is None:
            return None
        return cls(lock_id, host, pid, at)

    def is_dead(self) -> bool:
        """Return whether the lock's process was one of this host, and is certainly gone.

        A process of that number that is no restic and was started after the lock was made is
        another one: numbers are given anew, soonest after a restart of the machine.
        """
        if self.host != os.uname().nodename:
            return False
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
            started = datetime.fromtimestamp(process.create_time(), UTC)
            return started > self.at + _MARGIN and _RESTIC not in process.name()
        except psutil.NoSuchProcess:
            return True

    def find_bystander(self) -> str:
        """Return the program that ``restic unlock`` would hang up for this lock; empty for none."""
        if (
            self.host != os.uname().nodename
            or self.at < datetime.now(UTC) - _RESTICS_LIMIT - _MARGIN
        ):
            return ""
        try:
            process = psutil.Process(self.pid)
            zombie = process.status() == psutil.STATUS_ZOMBIE
            name = process.name()
        except psutil.NoSuchProcess:
            return ""
        return "" if zombie or _RESTIC in name else name

    def describe(self) -> str:
        """Return whose it is, and how old."""
        age = max(timedelta(0), datetime.now(UTC) - self.at)
        minutes = int(age.total_seconds() // 60)
        return f"PID {self.pid} on {self.host}, {minutes // 60} h {minutes % 60} min old"


@attrs.frozen
class Locks:
    """The locks in a repository.

    Attributes:
        restic: how it is reached.
    """

    restic: Restic

    def ids(self) -> list[str]:
        """Return the ids of all locks.

        Raises:
            BackendError, Transient, InvalidInput: as ``Restic.run``.
        """
        return self.restic.run("list locks", "list", "locks", "--no-lock", "--quiet").split()

    def remove_dead(self) -> None:
        """Remove the locks of processes of this host that are gone, and no others.

        Raises:
            Transient: one of them cannot be removed now, with the reason.
            BackendError, InvalidInput: as ``Restic.run``.
        """
        locks = [lock for lock_id in self.ids() if (lock := self._read(lock_id)) is not None]
        dead = [lock for lock in locks if lock.is_dead()]
        if dead and not self._unlink(dead):
            self._unlock(dead, [lock for lock in locks if lock not in dead])

    def _read(self, lock_id: str) -> Lock | None:
        try:
            printed = self.restic.run("read a lock", "cat", "lock", lock_id, "--no-lock")
        except Transient:
            raise
        except BackendError:  # it was removed meanwhile
            return None
        return Lock.parse(lock_id, printed)

    def _unlink(self, dead: Sequence[Lock]) -> bool:
        """Remove the locks' files in a local repository; return whether it is one."""
        path = self.restic.configuration.local_path
        folder = Path(path or "/nonexistent", "locks")
        if not folder.is_dir():
            return False
        for lock in dead:
            (folder / lock.id).unlink(missing_ok=True)
        return True

    def _unlock(self, dead: Sequence[Lock], others: Sequence[Lock]) -> None:
        """Let restic remove the locks, unless it would remove others, or hang somebody up."""
        oldest = datetime.now(UTC) - _RESTICS_LIMIT + _MARGIN
        if endangered := [lock for lock in others if lock.at < oldest]:
            raise Transient(
                f"the lock of {dead[0].describe()}, whose process is gone, cannot be removed "
                f"without that of {endangered[0].describe()}: look whether that one works, and run "
                "'restic unlock'"
            )
        for lock in (*dead, *others):
            if name := lock.find_bystander():
                raise Transient(
                    f"the lock of {dead[0].describe()}, whose process is gone, cannot be removed "
                    f"yet: 'restic unlock' would hang up {name}, whose number is {lock.pid} now"
                )
        self.restic.run("remove dead locks", "unlock", "--quiet")
        left = set(self.ids())
        if any(lock.id in left for lock in dead):
            # restic takes a process for alive until its parent has taken notice of its end.
            raise Transient("the lock of a restic that was killed cannot be removed yet")
