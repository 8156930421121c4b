"""What Freezer's agent makes on its way and may leave behind: its temporary things.

The agent names them by the action's ``temp_resource_prefix``, and every action of ours has one
that no other has (``identifiers.piece_prefix``). So what bears such a name is provably of that
job, and nothing else is touched. Seen with freezer 19.0.0: a backup of a volume makes a snapshot,
a volume and an image; that of a server an image; a restore of either an image.
"""

from typing import Any, Final

from karbor_backup_core import Leftover
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.cloud.things import Kind, Removal, Things, image_name, is_busy

_KINDS: Final = (Kind.IMAGE, Kind.VOLUME, Kind.SNAPSHOT)


class Temporary:
    """The temporary things of jobs.

    Args:
        services: the cloud that the jobs worked on.
    """

    def __init__(self, services: CloudServices) -> None:
        self._things = Things(services)

    def remove(self, job_id: str) -> Removal:
        """Remove what a job has left; to be called again until nothing is pending.

        The job must have ended: what its agent still uses would be taken from it.

        Raises:
            Transient: a repeat may help.
            BackendError: the cloud does not tell what there is.
        """
        removals = [self._things.remove(kind, self._of(kind, job_id)) for kind in _KINDS]
        return Removal(
            tuple(left for removal in removals for left in removal.pending),
            tuple(left for removal in removals for left in removal.leftovers),
        )

    def pending(self, job_id: str) -> tuple[Leftover, ...]:
        """Name what of a job's the cloud is still at work on; errors are those of ``remove``."""
        return tuple(
            Leftover(kind, thing.id, f"{thing.name!r} in state {thing.status}")
            for kind in _KINDS
            for thing in self._of(kind, job_id)
            if is_busy(kind, thing)
        )

    def left(self, job_id: str) -> tuple[Leftover, ...]:
        """Name what a job has made so far and has not removed, with the state that it is in.

        A volume that the agent restores is among it: it is told by the image that it is made of.
        Errors are those of ``remove``.
        """
        return tuple(
            Leftover(kind, thing.id, f"{thing.name!r} in state {thing.status}, of job {job_id}")
            for kind in _KINDS
            for thing in self._things.all(kind)
            if _is_of(job_id, thing.name)
            or (kind is Kind.VOLUME and _is_of(job_id, image_name(thing)))
        )

    def _of(self, kind: Kind, job_id: str) -> list[Any]:
        return [thing for thing in self._things.all(kind) if _is_of(job_id, thing.name)]


def _is_of(job_id: str, name: str | None) -> bool:
    return (name or "").startswith(f"{job_id}-")
