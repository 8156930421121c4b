"""On which host an operation's jobs have to run."""

import socket
from collections.abc import Sequence

from karbor_backup_core import InvalidInput, Resource
from karbor_backup_freezer.api.schedulers import Actions, Scheduler, SchedulerRegistry
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import Storage


def choose_for_protect(
    schedulers: SchedulerRegistry,
    named: str | None,
    resource: Resource,
    actions: Actions,
    operation_id: str,
) -> Scheduler:
    """Choose the scheduler of a protect.

    A directory is on one host: schedulers of this host go before others, and where the ones that
    fit are on several other hosts the choice is not ours to guess.

    Raises:
        InvalidInput: none fits, or several hosts may hold the directory.
    """
    if named is not None:
        return schedulers.get_named(named, actions)
    able = schedulers.require_capable(actions)
    if resource.type != DIRECTORY or len({s.hostname for s in able}) == 1:
        return schedulers.choose(able, operation_id)
    here = [s for s in able if s.hostname == socket.gethostname()]
    if not here:
        hosts = ", ".join(f"{s.client_id} on {s.hostname}" for s in able)
        raise InvalidInput(
            f"directory {resource.id!r} is on one host, and schedulers of several hosts fit: "
            f"name one with the option 'scheduler' ({hosts})"
        )
    return schedulers.choose(here, operation_id)


def choose_for_backup(
    schedulers: SchedulerRegistry,
    named: str | None,
    handle: Handle,
    storage: Storage,
    actions: Actions,
    operation_id: str,
) -> Scheduler:
    """Choose the scheduler of a restore or a delete.

    The one that made the backup goes before all others: it reaches the storage, and a directory
    goes back to its host. Where it is no longer registered, one of the same host does; any other
    only if neither data nor target are bound to the host.

    Raises:
        InvalidInput: none fits.
    """
    if named is not None:
        return schedulers.get_named(named, actions)
    able = schedulers.require_capable(actions)
    fitting = _find_nearest(able, handle)
    if fitting:
        return schedulers.choose(fitting, operation_id)
    bound = storage.is_host_local or any("restore_abs_path" in action for action in actions)
    if bound:
        raise InvalidInput(
            f"the backup was made by scheduler {handle.client!r} on host {handle.hostname!r}, "
            "which has no scheduler now that fits: start one there, or name another with the "
            "option 'scheduler'"
        )
    return schedulers.choose(able, operation_id)


def _find_nearest(able: Sequence[Scheduler], handle: Handle) -> Sequence[Scheduler]:
    same = [s for s in able if s.client_id == handle.client]
    return same or [s for s in able if s.hostname == handle.hostname]
