"""Names of the processes that drive operations, and whether such a process still lives.

An owner's name says where its process lives (host, boot, PID namespace, PID, start time) and how
long its leases are. So a process that died on this host is seen to be dead at once, and a lease
that reaches further ahead than its owner ever asks for is seen to be left over from before a step
of the clock.
"""

import functools
import os
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_core._model import Lease, Operation

_PROC: Final = Path("/proc")
_FIELD_COUNT: Final = 7
_EXITED_STATES: Final = frozenset("ZX")
"""States of a process that has ended, in ``/proc/PID/stat``: zombie and dead (``proc(5)``)."""


@attrs.frozen
class Owner:
    """A process that drives operations, as its name tells.

    Attributes:
        host: the name of its host.
        boot: the id of its host's boot; empty where the system has none.
        namespace: its PID namespace; empty where the system has none.
        pid: its process id.
        started: when it was started, in ticks after the boot; empty where the system does not say.
        lease: how long a lease of its is.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: str
    lease: timedelta

    @classmethod
    def parse(cls, name: str) -> "Owner | None":
        """Read the name of an owner; return None for a name of another form."""
        fields = name.split(":")
        if len(fields) < _FIELD_COUNT:
            return None
        host, boot, namespace, pid, started, seconds = fields[: _FIELD_COUNT - 1]
        try:
            return cls(host, boot, namespace, int(pid), started, timedelta(seconds=float(seconds)))
        except (ValueError, OverflowError):
            return None

    @property
    def is_dead(self) -> bool:
        """Whether the process is known to have ended; only one of this very host can be."""
        here = (self.host, self.boot, self.namespace) == _current_host()
        return here and bool(self.boot) and _has_exited(self.pid, self.started)


def new_owner_name(lease: timedelta) -> str:
    """Name this process as an owner; no two names are ever alike.

    Args:
        lease: how long its leases are.
    """
    host, boot, namespace = _current_host()
    pid = os.getpid()
    _, started = _read_process_stat(pid)
    seconds = f"{lease.total_seconds():g}"
    random_part = uuid.uuid4().hex[:8]
    return ":".join((host, boot, namespace, str(pid), started, seconds, random_part))


def describe_owner(name: str) -> str:
    """Return the name of an owner in words for a person."""
    owner = Owner.parse(name)
    return name if owner is None else f"process {owner.pid} on {owner.host}"


def is_free(operation: Operation, now: datetime, lease: timedelta) -> bool:
    """Return whether no process drives an operation, so that any process may take it over.

    Args:
        operation: as the store holds it.
        now: the present instant, by the clock that leases are written with.
        lease: how long a lease is, where the owner's name does not say.
    """
    return not holds_lease(operation.lease, now, lease)


def holds_lease(lease: Lease | None, now: datetime, length: timedelta) -> bool:
    """Return whether an owner's lease keeps other processes from its operations.

    Besides a lease that has expired, two kinds count for nothing: that of a process of this host
    that has ended, and one further ahead than twice the time that its owner asks for, which only
    a step of the clock explains. Twice, so that a small step takes nothing from a live owner.

    Args:
        lease: the owner's lease; None for none.
        now: the present instant, by the clock that leases are written with.
        length: how long a lease is, where the owner's name does not say.
    """
    if lease is None or lease.until <= now:
        return False
    left = lease.until - now
    process = Owner.parse(lease.owner)
    if process is None:
        return left <= 2 * length
    return left <= 2 * process.lease and not process.is_dead


@functools.cache
def _boot_id() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _current_host() -> tuple[str, str, str]:
    """Return host, boot and PID namespace of this process."""
    try:
        namespace = str((_PROC / "self/ns/pid").stat().st_ino)
    except OSError:
        namespace = ""
    return os.uname().nodename.replace(":", "-"), _boot_id(), namespace


def _has_exited(pid: int, started: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    state, began = _read_process_stat(pid)
    # Where /proc does not show the process, it is another user's: it lives.
    return state in _EXITED_STATES or bool(began and started and began != started)


def _read_process_stat(pid: int) -> tuple[str, str]:
    """Return state and start time of a process; two empty texts where they cannot be seen."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return "", ""
    # The second field, the program's name, may hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[19]
