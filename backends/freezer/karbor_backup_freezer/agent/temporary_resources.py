"""What Freezer's agent makes on its way and may leave behind: its temporary things.

The agent names them by the action's ``temp_resource_prefix``, and every action of ours has one
that no other has (``ids.item_prefix``). So what bears such a name is provably of that
job, and nothing else is touched. Seen with freezer 19.0.0: a backup of a volume makes a snapshot,
a volume and an image; that of a server an image; a restore of either an image.
"""

from typing import Any, Final

from karbor_backup_core import Leftover
from karbor_backup_openstack.resources import (
    CloudResources,
    RemovalStatus,
    ResourceKind,
    is_busy,
    source_image_name,
)
from karbor_backup_openstack.services import CloudServices

_KINDS: Final = (ResourceKind.IMAGE, ResourceKind.VOLUME, ResourceKind.SNAPSHOT)


class TemporaryResources:
    """The temporary things of jobs.

    Args:
        services: the cloud that the jobs worked on.
    """

    def __init__(self, services: CloudServices) -> None:
        self._resources = CloudResources(services)

    def remove_for_job(self, job_id: str) -> RemovalStatus:
        """Remove what a job has left; to be called again until nothing is pending.

        The job must have ended: what its agent still uses would be taken from it.

        Raises:
            Transient: a repeat may help.
            BackendError: the cloud does not tell what there is.
        """
        removals = [
            self._resources.remove_resources(kind, self._list_for_job(kind, job_id))
            for kind in _KINDS
        ]
        return RemovalStatus(
            tuple(left for removal in removals for left in removal.pending),
            tuple(left for removal in removals for left in removal.leftovers),
        )

    def list_pending(self, job_id: str) -> tuple[Leftover, ...]:
        """Name what of a job's the cloud is still at work on; errors are those of ``remove``."""
        return tuple(
            Leftover(kind, resource.id, f"{resource.name!r} in state {resource.status}")
            for kind in _KINDS
            for resource in self._list_for_job(kind, job_id)
            if is_busy(kind, resource)
        )

    def list_leftovers(self, job_id: str) -> tuple[Leftover, ...]:
        """Name what a job has made so far and has not removed, with the state that it is in.

        A volume that the agent restores is among it: it is told by the image that it is made of.
        Errors are those of ``remove``.
        """
        return tuple(
            Leftover(
                kind, resource.id, f"{resource.name!r} in state {resource.status}, of job {job_id}"
            )
            for kind in _KINDS
            for resource in self._resources.list_all(kind)
            if _belongs_to_job(job_id, resource.name)
            or (
                kind is ResourceKind.VOLUME and _belongs_to_job(job_id, source_image_name(resource))
            )
        )

    def _list_for_job(self, kind: ResourceKind, job_id: str) -> list[Any]:
        return [
            resource
            for resource in self._resources.list_all(kind)
            if _belongs_to_job(job_id, resource.name)
        ]


def _belongs_to_job(job_id: str, name: str | None) -> bool:
    return (name or "").startswith(f"{job_id}-")
