"""Where the queue's database is, and its tables."""

import contextlib
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import attrs

from karbor_backup_core import InvalidInput, KarborBackupError, MissingLibrary, install_hint
from karbor_backup_core.configuration import Configuration
from karbor_backup_scale._names import first_line
from karbor_backup_scale.settings import WorkerSettings

if TYPE_CHECKING:
    import psycopg

_LOCK: Final = 0x6B61_7262_6F72
"""The key of the advisory lock under which the tables are created and changed."""

_OWN_TABLES: Final = """
CREATE TABLE karbor_backup_queue (
    id integer PRIMARY KEY CHECK (id = 1),
    migration text NOT NULL
);
CREATE TABLE karbor_backup_workers (
    worker_id bigint PRIMARY KEY REFERENCES procrastinate_workers(id) ON DELETE CASCADE,
    host text NOT NULL,
    pid integer NOT NULL,
    queues text[] NOT NULL,
    hold integer NOT NULL,
    limits jsonb NOT NULL,
    started_at timestamp with time zone NOT NULL DEFAULT now()
);
"""
"""Which migration of the engine was the last, and of the workers what the engine does not know."""


class QueueError(KarborBackupError):
    """The queue cannot be used."""


class QueueNotFound(QueueError):
    """There is no queue yet: the first worker, or the first ``--detach``, creates it."""


@attrs.frozen
class QueueDatabase:
    """The database of the queue.

    Attributes:
        parameters: those of libpq; the password may be among them.
    """

    parameters: dict[str, Any] = attrs.field(repr=False)

    @classmethod
    def from_configuration(cls, configuration: Configuration) -> "QueueDatabase":
        """Return the database that a configuration names.

        Raises:
            InvalidInput: the store or the queue is not on a database server that can be used.
            MissingLibrary: the engine is not installed.
        """
        check_engine()
        from karbor_backup_scale._connection_parameters import postgresql_parameters

        store, queue = configuration.store_url, None
        if store is None or store.reveal().startswith("sqlite"):
            raise InvalidInput(
                "workers need a store that machines can share, and this one is an SQLite file: "
                "set url in [store] to a PostgreSQL, such as postgresql+psycopg://user@host/database"
            )
        queue = WorkerSettings.from_configuration(configuration).queue_url
        parameters = postgresql_parameters((queue or store).reveal())
        if parameters is None:
            raise InvalidInput(
                "the queue of the workers needs PostgreSQL: set queue_url in [workers], such as "
                "postgresql+psycopg://user@host/database"
            )
        return cls(parameters)

    @contextlib.contextmanager
    def connect(self) -> "Iterator[psycopg.Connection[dict[str, Any]]]":
        """Connect; each statement is a transaction of its own, unless one is begun.

        Raises:
            QueueError: the database cannot be reached, or a statement failed.
        """
        import psycopg
        import psycopg.rows

        try:
            with psycopg.connect(
                **self.parameters, autocommit=True, row_factory=psycopg.rows.dict_row
            ) as connection:
                yield connection
        except psycopg.Error as error:
            raise QueueError(f"the queue cannot be used: {first_line(error)}") from None

    def check_or_create_tables(self, *, create: bool) -> None:
        """Check that the tables are those of the installed engine.

        Args:
            create: create the tables where there are none.

        Raises:
            QueueNotFound: there are none, and ``create`` is False.
            QueueError: they are of another release or another program, or cannot be created.
        """
        with self.connect() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            found = _read_migration(connection)
            if found is None and not create:
                raise QueueNotFound(
                    "there is no queue yet: the first worker, or the first --detach, creates it"
                )
            if found is None:
                _create_tables(connection)
            elif found != latest_migration():
                raise QueueError(_describe_difference(found))

    def upgrade(self) -> list[str]:
        """Apply the engine's migrations that are missing; return their names.

        Workers of older releases must not run meanwhile.

        Raises:
            QueueNotFound: there are no tables.
            QueueError: a newer release has written them, or a migration failed.
        """
        with self.connect() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            found = _read_migration(connection)
            if found is None:
                raise QueueNotFound("there is no queue yet, so that there is nothing to upgrade")
            known = list_migrations()
            if found not in known:
                raise QueueError(_describe_difference(found))
            missing = known[known.index(found) + 1 :]
            for name in missing:
                _apply_migration(connection, name)
        return missing


def check_engine() -> None:
    """Let pass where the extra ``scale`` is installed.

    Raises:
        MissingLibrary: it is not.
    """
    try:
        import procrastinate.worker  # noqa: F401 - whether it is there
        import psycopg  # noqa: F401 - it may lack libpq
    except ImportError as error:
        raise MissingLibrary(f"workers need more libraries: {install_hint('scale')}") from error


def list_migrations() -> list[str]:
    """Return the names of the installed engine's migrations, in their order."""
    folder = resources.files("procrastinate.sql") / "migrations"
    return sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql"))


def latest_migration() -> str:
    """Return the name of the installed engine's last migration."""
    return list_migrations()[-1]


def read_migration_text(name: str) -> Any:
    """Return the statements of one of the engine's migrations."""
    return (resources.files("procrastinate.sql") / "migrations" / name).read_text("utf-8")


def _apply_migration(connection: "psycopg.Connection[dict[str, Any]]", name: str) -> None:
    """Apply a migration, and note it, in a transaction of its own.

    PostgreSQL lets no transaction use a value that it has added to an enumeration.
    """
    with connection.transaction():
        connection.execute(read_migration_text(name))
        connection.execute("UPDATE karbor_backup_queue SET migration = %s", [name])


def _read_migration(connection: "psycopg.Connection[dict[str, Any]]") -> str | None:
    row = connection.execute("SELECT to_regclass('karbor_backup_queue') AS found").fetchone()
    if row is None or row["found"] is None:
        return None
    row = connection.execute("SELECT migration FROM karbor_backup_queue").fetchone()
    return None if row is None else str(row["migration"])


def _create_tables(connection: "psycopg.Connection[dict[str, Any]]") -> None:
    from procrastinate.schema import SchemaManager

    row = connection.execute("SELECT to_regclass('procrastinate_jobs') AS found").fetchone()
    if row is not None and row["found"] is not None:
        raise QueueError(
            "the database has a queue of another program: set queue_url in [workers] to a database "
            "or a schema of its own"
        )
    connection.execute(SchemaManager.get_schema())
    create_own_tables(connection, latest_migration())


def create_own_tables(connection: "psycopg.Connection[dict[str, Any]]", migration: str) -> None:
    """Create our tables beside those of the engine, whose last migration is given."""
    connection.execute(_OWN_TABLES)
    connection.execute(
        "INSERT INTO karbor_backup_queue (id, migration) VALUES (1, %s)", [migration]
    )


def _describe_difference(found: str) -> str:
    if found in list_migrations():
        return (
            f"the queue's tables are older ({found}) than the installed Procrastinate needs: stop "
            "all workers, and run 'karbor-backup queue --upgrade'"
        )
    return (
        f"the queue's tables are newer ({found}) than the installed Procrastinate: use the release "
        "that wrote them, or a newer one"
    )
