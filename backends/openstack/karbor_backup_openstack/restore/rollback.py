"""Removing what a restore has made: all of it after a failure, the rest of it after a success.

Servers go first, since their volumes cannot go while they are attached.
"""

from karbor_backup_core import Leftover, Operation, Result
from karbor_backup_openstack.metadata import is_marked
from karbor_backup_openstack.resource_types import PROJECT
from karbor_backup_openstack.resources import RemovalStatus, ResourceKind
from karbor_backup_openstack.restore.context import RestoreContext


def retained_ids(operation: Operation) -> frozenset[str]:
    """Return the ids of what a failed restore of a project leaves all the same: its whole members.

    They are told in the outcome's parts; what a cancelled restore made goes altogether.
    """
    outcome = operation.outcome
    failed = outcome is not None and outcome.result is Result.FAILED
    if outcome is None or not failed or operation.resource.type != PROJECT:
        return frozenset()
    return frozenset(
        part.restored.id
        for part in outcome.parts
        if part.result is Result.SUCCEEDED and part.restored is not None
    )


def remove_all_except(context: RestoreContext, stays: frozenset[str]) -> RemovalStatus:
    """Ask for the removal of everything that the operation made, but for some.

    Args:
        context: what the step has before it.
        stays: the ids of what is not removed.
    """
    own = {
        ResourceKind.SERVER: context.created_servers(),
        ResourceKind.VOLUME: context.created_volumes(),
        ResourceKind.IMAGE: context.created_images(),
    }
    removals: list[RemovalStatus] = []
    for kind, resources in own.items():
        removals.append(
            context.resources.remove_resources(kind, [t for t in resources if t.id not in stays])
        )
        if kind is ResourceKind.SERVER and removals[0].pending:
            break
    return RemovalStatus(
        tuple(left for removal in removals for left in removal.pending),
        tuple(left for removal in removals for left in removal.leftovers),
    )


def surplus(context: RestoreContext) -> tuple[Leftover, ...]:
    """Name marked servers and volumes that are none of a restore's results.

    They are not removed: what Cinder restores from a backup of a result bears its marks too.
    """
    outcome = context.operation.outcome
    results = {resource.id for resource in outcome.resources} if outcome else set()
    own = {ResourceKind.SERVER: context.servers, ResourceKind.VOLUME: context.volumes}
    note = "it bears the marks of this restore: a request that came late may have made it"
    return tuple(
        Leftover(kind, thing.id, f"{thing.name!r} in state {thing.status}; {note}")
        for kind, resources in own.items()
        for thing in resources
        if is_marked(thing.metadata, context.operation)
        and thing.id not in results | context.state.created_ids()
    )


def overwritten_volumes(context: RestoreContext) -> tuple[Leftover, ...]:
    """Name the volume that a restore was told to write over: nothing brings it back."""
    note = "the restore may have written to it"
    return tuple(
        Leftover(ResourceKind.VOLUME, new, note)
        for source, new in context.state.volumes.items()
        if new == source
    )
