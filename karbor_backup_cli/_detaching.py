"""``--detach``: an operation is stored and queued for workers, and nobody waits for its end.

The queue is another package's: an entry point in ``karbor_backup.detach`` is a function that takes
the configuration and returns a context manager, whose value has ``put(operation)``.
"""

import importlib.metadata
from contextlib import AbstractContextManager
from typing import Final, Protocol

import attrs

from karbor_backup_cli._context import CliContext
from karbor_backup_cli._errors import PROGRAM
from karbor_backup_cli._execution import check_health
from karbor_backup_cli._formatting import format_subject
from karbor_backup_cli._output import emit_json, emit_lines, reporting_lost_output
from karbor_backup_cli._streams import write_error
from karbor_backup_core import (
    Backend,
    KarborBackupError,
    MissingLibrary,
    Operation,
    install_hint,
    printable,
)
from karbor_backup_core.discovery import unavailable_reason
from karbor_backup_core.documents import to_document

ENTRY_POINT_GROUP: Final = "karbor_backup.detach"


class DetachQueue(Protocol):
    """A queue that workers take operations from."""

    def put(self, operation: Operation) -> None:
        """Put a stored operation into the queue.

        Raises:
            KarborBackupError: it was not possible; the workers find the operation all the same.
        """


def detach(context: CliContext, backend: Backend, planned: Operation) -> Operation:
    """Store a planned operation, and queue it; return it as stored.

    Raises:
        MissingLibrary: no queue is installed.
        BackendError: the service is not fit for it now; nothing was stored.
        KarborBackupError: the queue cannot be used; nothing was stored.
    """
    with _open_queue(context) as queue:
        check_health(backend)
        # What only this host can see is left to a worker on this host.
        bound = attrs.evolve(planned, place=backend.place())
        stored = context.open_store(create=True).add(bound)
        backend.notify_extensions(stored, None)
        try:
            queue.put(stored)
        except KarborBackupError as error:
            write_error(
                f"{PROGRAM}: warning: {printable(str(error))}; the next sweep of the workers "
                f"queues operation {stored.id}"
            )
    return stored


def report_detached(operation: Operation, *, as_json: bool) -> None:
    """Tell the id of an operation that the workers have now.

    Raises:
        OutputLost: it cannot be written.
    """
    with reporting_lost_output(f"queued {format_subject(operation)} (operation {operation.id})"):
        if as_json:
            emit_json(to_document(operation))
        else:
            emit_lines([operation.id])


def _open_queue(context: CliContext) -> AbstractContextManager[DetachQueue]:
    for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        try:
            open_queue = point.load()
        except Exception as error:
            reason = unavailable_reason(point, error)
            raise MissingLibrary(f"--detach cannot be used: {reason}") from error
        opened: AbstractContextManager[DetachQueue] = open_queue(context.configuration)
        return opened
    raise MissingLibrary(f"--detach needs workers: {install_hint('scale')}")
