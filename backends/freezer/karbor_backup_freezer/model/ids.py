"""The ids under which an operation's jobs are found again."""

import functools
import uuid
from typing import Final

_NAMESPACE: Final = uuid.UUID("1b8d4f0e-57e5-5c0b-9d5c-3f3c5b1f6a4e")

WORK: Final = "1"
"""The step of an operation whose job does its work; every verb has one, in its first phase."""


PREPARE: Final = "prepare"
"""The step of a restore whose job does nothing: it is there from before the first new volume."""


def work_step(number: int) -> str:
    """Return the name of the step of an operation's work that begins its job, or a later one.

    Args:
        number: how many jobs came before; only a restore of several members has more than one.
    """
    return f"{WORK}+{number}" if number else WORK


@functools.lru_cache(maxsize=16_384)  # each poll asks for those of all that runs
def job_id(operation_id: str, step: str = WORK) -> str:
    """Return the id of the job of one step of an operation, always the same.

    Freezer never lets go of an id (a deleted job keeps it), so each step has one of its own.
    """
    return uuid.uuid5(_NAMESPACE, f"{operation_id}/{step}").hex


def record_id(job_id: str, index: int) -> str:
    """Return the id by which one action of a job tells its record from others."""
    return uuid.uuid5(_NAMESPACE, f"{job_id}/{index}").hex


def removal_step(number: int) -> str:
    """Return the name of the step in which a release removes data for the ``number``-th time."""
    return f"release-{number}"


def item_prefix(job_id: str, index: int) -> str:
    """Return what the agent puts before the names of what it makes for one action of a job.

    It is the action's ``temp_resource_prefix``. Freezer never tells which volume or server it has
    restored; by this prefix the one of this very job is told from all others.

    Args:
        job_id: the job's id.
        index: the action's place in the job, from 0.
    """
    return f"{job_id}-{index}_"


def parse_item_index(prefix: str) -> int:
    """Read an action's place back out of its prefix.

    Raises:
        ValueError: it is none of ours.
    """
    return int(prefix.rpartition("-")[2].removesuffix("_"))
