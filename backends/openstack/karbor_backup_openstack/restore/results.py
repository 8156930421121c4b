"""How a step of a restore ends: with what every member has become."""

from collections.abc import Mapping

from karbor_backup_core import (
    Leftover,
    Part,
    Progress,
    ProgressState,
    Resource,
    Result,
)
from karbor_backup_openstack.resource_types import PROJECT
from karbor_backup_openstack.resources import CloudResources, RemovalStatus, ResourceKind, is_busy
from karbor_backup_openstack.restore import rollback
from karbor_backup_openstack.restore.context import RestoreContext
from karbor_backup_openstack.restore.names import restored_name
from karbor_backup_openstack.restore.state import MemberStatus, RestoreState


def conclude(context: RestoreContext, statuses: Mapping[Resource, MemberStatus]) -> Progress:
    """Return the progress of a restore whose members stand as they do.

    When all of them are whole, the removal of what was only needed on the way is asked for.

    Args:
        context: what the step has before it.
        statuses: how each member stands, by its source.
    """
    failed = any(status.failure for status in statuses.values())
    compound = context.operation.resource.type == PROJECT
    if failed and not compound:
        return _failure_progress(context, statuses)
    if any(status.is_pending for status in statuses.values()):
        return Progress(ProgressState.RUNNING)
    if failed:
        return _failure_progress(context, statuses)
    removal = rollback.remove_all_except(context, context.state.created_ids())
    if removal.pending:
        wait_until_gone(context, removal)
        return Progress(ProgressState.RUNNING, leftovers=removal.pending)
    return _success_progress(context, statuses, removal.leftovers)


def wait_until_gone(context: RestoreContext, removal: RemovalStatus) -> None:
    """Note that what is being removed is waited for."""
    for left in removal.pending:
        context.state.wait_for(ResourceKind(left.kind), left.id, gone=True)


def check_pending(resources: CloudResources, state: RestoreState) -> Progress:
    """Return ready when what the last step waits for has come to rest; only reads.

    Args:
        resources: the cloud.
        state: what that step has noted.
    """
    unsettled = []
    for kind_name, identifier, gone in state.waiting:
        kind = ResourceKind(kind_name)
        resource = resources.get(kind, identifier)
        if resource is None or (
            resource.status == "error_deleting" if gone else not is_busy(kind, resource)
        ):
            continue
        unsettled.append(Leftover(kind, identifier, f"it is in state {resource.status}"))
    found = ProgressState.RUNNING if unsettled else ProgressState.READY
    return Progress(found, leftovers=tuple(unsettled))


def _to_parts(statuses: Mapping[Resource, MemberStatus]) -> tuple[Part, ...]:
    return tuple(
        Part(
            source,
            Result.SUCCEEDED if status.restored else Result.FAILED,
            status.failure,
            status.restored,
        )
        for source, status in statuses.items()
    )


def _success_progress(
    context: RestoreContext,
    statuses: Mapping[Resource, MemberStatus],
    leftovers: tuple[Leftover, ...],
) -> Progress:
    operation = context.operation
    restored = tuple(s.restored for s in statuses.values() if s.restored is not None)
    if operation.resource.type == PROJECT:
        name = restored_name(operation, operation.resource)
        restored = (Resource(PROJECT, operation.resource.id, name), *restored)
    parts = _to_parts(statuses)
    return Progress(
        ProgressState.SUCCEEDED,
        resources=restored,
        parts=parts if operation.resource.type == PROJECT or len(parts) > 1 else (),
        checks=context.state.checks(),
        leftovers=leftovers,
    )


def _failure_progress(
    context: RestoreContext, statuses: Mapping[Resource, MemberStatus]
) -> Progress:
    failures = [(s, status.failure) for s, status in statuses.items() if status.failure]
    source, first = failures[0]
    reason = f"{source.type} {source.id}: {first}"
    if context.operation.resource.type == PROJECT:
        whole = sum(status.restored is not None for status in statuses.values())
        reason = f"restored {whole} of {len(statuses)}; {reason}"
    return Progress(
        ProgressState.FAILED,
        reason=reason,
        parts=_to_parts(statuses) if len(statuses) > 1 else (),
        checks=context.state.checks(),
    )
