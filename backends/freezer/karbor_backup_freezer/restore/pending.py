"""Whether what a rebuild waits for has come to rest; nothing is changed here."""

from karbor_backup_core import Leftover, Progress, ProgressState
from karbor_backup_freezer.cloud.resources import CloudResources, ResourceKind, is_busy
from karbor_backup_freezer.restore.state import RestoreState


def check_pending(resources: CloudResources, state: RestoreState) -> Progress:
    """Return ready when nothing is waited for any more; the next step says what came of it.

    Raises:
        Transient: a repeat may help.
        BackendError: the cloud does not tell.
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
    if not unsettled:
        return Progress(ProgressState.READY)
    return Progress(ProgressState.RUNNING, leftovers=tuple(unsettled))
