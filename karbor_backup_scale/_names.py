"""The names in the queue: those of its tasks, queues and jobs; and its errors in a line."""

import hashlib
from typing import TYPE_CHECKING, Final

from karbor_backup_core import Operation

if TYPE_CHECKING:
    from procrastinate.jobs import Job

DRIVE_TASK: Final = "karbor_backup.drive"
"""Its jobs drive one operation each; the job's queueing lock is the operation's id."""

SWEEP_TASK: Final = "karbor_backup.sweep"

PERIODIC_QUEUE: Final = "karbor-backup periodic"
"""The queue of the periodic work; every worker serves it, beside those of its backends."""

_LONGEST: Final = 40
"""Bytes of a queue's name: PostgreSQL has 63 for a channel, and the engine puts 23 before it."""


def queue_name(backend: str, host: str = "") -> str:
    """Return the name of a queue: ``NAME``, or ``NAME@HOST`` for what is bound to a host.

    Args:
        backend: the configured name of the backend.
        host: the host that alone can see the work; empty for any.
    """
    name = f"{backend}@{host}" if host else backend
    encoded = name.encode()
    if len(encoded) <= _LONGEST and name != PERIODIC_QUEUE:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    return f"{encoded[: _LONGEST - 17].decode(errors='ignore')}~{digest}"


def queue_of(operation: Operation) -> str:
    """Return the name of the queue that an operation belongs to."""
    return queue_name(operation.backend, operation.place.host if operation.place else "")


def fetched_id(job: "Job") -> int:
    """Return the id of a job that comes from the queue; only one that is not queued has none.

    Raises:
        ValueError: it was never queued.
    """
    if job.id is None:
        raise ValueError(f"job {job.call_string} was never queued")
    return job.id


def first_line(error: BaseException) -> str:
    """Return what a database said, without the statement that it was about."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
