"""What ``--detach`` of the command uses: the queue, as a program that drives nothing sees it."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from karbor_backup_core import Operation
from karbor_backup_core.configuration import Configuration
from karbor_backup_scale._database import QueueDatabase, QueueError
from karbor_backup_scale._names import DRIVE_TASK, queue_of

if TYPE_CHECKING:
    import psycopg


@attrs.frozen
class DetachedQueue:
    """Takes operations for the workers."""

    _connection: "psycopg.Connection[dict[str, object]]"

    def put(self, operation: Operation) -> None:
        """Put a stored operation into the queue of its backend.

        Raises:
            QueueError: it was not possible; the workers' next sweep does it.
        """
        import psycopg
        from procrastinate import App, SyncPsycopgConnector
        from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

        app = App(connector=SyncPsycopgConnector())
        configured = app.configure_task(
            DRIVE_TASK,
            queue=queue_of(operation),
            queueing_lock=operation.id,
            connection=self._connection,
        )
        try:
            configured.defer(operation_id=operation.id, backend=operation.backend)
        except AlreadyEnqueued:
            return
        except (ConnectorException, psycopg.Error) as error:
            raise QueueError(f"the queue cannot be used: {error.__cause__ or error}") from error


@contextlib.contextmanager
def open_queue(configuration: Configuration) -> Iterator[DetachedQueue]:
    """Open the queue of a configuration; one that is not there yet is created.

    Raises:
        InvalidInput: the store or the queue is not on a database server that can be used.
        MissingLibrary: the engine is not installed.
        QueueError: it cannot be used.
    """
    database = QueueDatabase.from_configuration(configuration)
    database.check_or_create_tables(create=True)
    with database.connect() as connection:
        yield DetachedQueue(connection)
