"""What a rebuild has just made, looked at again: a process that was paused may have come late.

Nova and Cinder refuse no request for coming late, and make two of what is asked for twice. So
whoever has made something looks whether the operation is over, and whether another process has
made the same; either looks after it has made its own, so that at least one sees the other's.
"""

import logging
from typing import Any, Final

from karbor_backup_core import Transient
from karbor_backup_openstack.metadata import is_marked
from karbor_backup_openstack.resources import ResourceKind
from karbor_backup_openstack.restore.context import RestoreContext

_LOG: Final = logging.getLogger(__name__)

_LEAVING: Final = frozenset({"deleting", "DELETED", "SOFT_DELETED"})


def keep_if_alone(
    context: RestoreContext, kind: ResourceKind, made: Any, source: str, besides: str = ""
) -> None:
    """Remove what was just made, unless it is the only one and the operation goes on.

    Args:
        context: what the step has before it.
        kind: what was made.
        made: it, as openstacksdk gives it.
        source: the id of what it was made of.
        besides: the id of another one that is to be there.

    Raises:
        Transient: it was removed, or is removed when it can be; a repeat finds the other one.
        BackendError: the cloud does not tell, or what tells whether the operation is over.
    """
    if over := context.why_over():
        _remove_late(context, kind, made, over)
    mine = context.resources.get(kind, made.id)
    rivals = [
        other.id
        for other in context.resources.list_all(kind)
        if is_marked(other.metadata, context.operation, source)
        and other.id not in (made.id, besides)
        and not _is_leaving(other)
        # Of two of the same second either goes, since none can tell which one stays.
        and (mine is None or other.created_at <= mine.created_at)
    ]
    if rivals:
        _remove(context, kind, made, f"another process has made {kind} {', '.join(rivals)} of it")


def keep_in_time(context: RestoreContext, kind: ResourceKind, identifier: str) -> None:
    """Remove what was just made without a mark, unless the operation goes on.

    Raises:
        Transient: it was removed, or is removed when it can be.
        BackendError: the cloud does not tell, or what tells whether the operation is over.
    """
    over = context.why_over()
    if over and (made := context.resources.get(kind, identifier)) is not None:
        _remove_late(context, kind, made, over)


def _remove_late(context: RestoreContext, kind: ResourceKind, made: Any, over: str) -> None:
    _remove(context, kind, made, f"{over}: operation {context.operation.id} is over")


def _is_leaving(resource: Any) -> bool:
    return resource.status in _LEAVING or getattr(resource, "task_state", None) == "deleting"


def _remove(context: RestoreContext, kind: ResourceKind, made: Any, why: str) -> None:
    """Ask for the removal; Cinder removes no volume that it is still making."""
    found = context.resources.get(kind, made.id) or made
    removal = context.resources.remove_resources(kind, [found])
    message = f"{kind} {made.id} is not wanted: {why}"
    for left in removal.leftovers:
        message += f"; it stays: {left.note}"
    if removal.pending and kind is ResourceKind.VOLUME and found.status == "creating":
        message += "; Cinder is still making it: remove it, if nobody else does"
    _LOG.warning("%s", message)
    raise Transient(message)
