"""Whether what a rebuild waits for has come to rest; nothing is changed here."""

from karbor_backup_core import Leftover, Progress, ProgressState
from karbor_backup_freezer.cloud.things import Kind, Things, is_busy
from karbor_backup_freezer.rebuild.notes import Notes


def look(things: Things, notes: Notes) -> Progress:
    """Answer ready when nothing is waited for any more; the next step says what came of it.

    Raises:
        Transient: a repeat may help.
        BackendError: the cloud does not tell.
    """
    unsettled = []
    for kind_name, identifier, gone in notes.waiting:
        kind = Kind(kind_name)
        thing = things.get(kind, identifier)
        if thing is None or (
            thing.status == "error_deleting" if gone else not is_busy(kind, thing)
        ):
            continue
        unsettled.append(Leftover(kind, identifier, f"it is in state {thing.status}"))
    if not unsettled:
        return Progress(ProgressState.READY)
    return Progress(ProgressState.RUNNING, leftovers=tuple(unsettled))
