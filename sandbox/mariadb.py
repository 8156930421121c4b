"""MariaDB, where SQLite would be too slow, or refuse what is written at the same time."""

import hashlib
import os
import pwd
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from sandbox import debian_packages
from sandbox.accounts import write_secret
from sandbox.errors import BuildError
from sandbox.instance import Instance
from sandbox.layout import Layout
from sandbox.ports import HOST
from sandbox.services import Service, server_environ
from sandbox.subprocesses import run_checked
from sandbox.temporary_instance import temporary_instance

NAME = "mariadb"
USER = "sandbox"

_PACKAGES = (
    "mariadb-server-core",
    "mariadb-client-core",
    "libaio1",
    "libmariadb3",
    "libnuma1",
    "liburing2",
)
_MACHINE = (Path("/usr"), Path("/usr/local"))
_SERVER_DIRECTORIES = ("sbin", "libexec", "bin")
_INSTALL = "bin/mariadb-install-db"
_INIT_FILE = "sandbox.sql"
_CLEAN_END = "Shutdown complete"
_GRACE = 200.0
"""Seconds to write what it keeps in memory only: killed before, it would lose it."""


@attrs.frozen
class MariaDb:
    """What a client needs.

    Attributes:
        port: where the server listens on loopback.
        password: of the user `sandbox`, who may do everything; made at random.
    """

    port: int
    password: str = attrs.field(repr=False)

    def url(self, database: str) -> str:
        """Return SQLAlchemy's URL of a database."""
        return f"mysql+pymysql://{USER}:{self.password}@{HOST}:{self.port}/{database}?charset=utf8"


def bring_up_empty(instance: Instance) -> MariaDb:
    """Start a server without databases, beside those of the cloud and of Freezer.

    Raises:
        MissingProgramError: the machine has no MariaDB, and it could not be fetched.
        ServiceError: it did not come up.
    """
    name, program = f"{NAME}-own", _find_installation(instance)
    _install(program, instance.layout.data / name)
    return _start(instance, name, program, databases=())


def bring_up(instance: Instance, name: str, template: Path) -> MariaDb:
    """Start a server on a copy of the databases that were made by `ensure_template`.

    Args:
        instance: where it runs.
        name: the server's.
        template: the directory to copy.

    Raises:
        MissingProgramError: the machine has no MariaDB, and it could not be fetched.
        ServiceError: it did not come up.
    """
    shutil.copytree(template, instance.layout.data / name)
    return _start(instance, name, _find_installation(instance), databases=())


def ensure_template(
    home: Path, instance: Instance, databases: Sequence[str], fill: Callable[[MariaDb, Path], None]
) -> Path:
    """Return a directory with databases to copy, made first unless it is there.

    The caller holds the project's lock.

    Args:
        home: where to keep it; its name gets what distinguishes one way of making it from another.
        instance: for which it is wanted.
        databases: their names.
        fill: is called with the server and a directory for its own files.

    Raises:
        MissingProgramError: the machine has no MariaDB, and it could not be fetched.
        BuildError: they could not be made.
        ServiceError: the server did not come up.
    """
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    template = home.with_name(f"{home.name}-{recipe}")
    if not template.exists():
        instance.report("Initialising MariaDB's databases; they are kept for the next time.")
        with temporary_instance(instance.project, "making-databases", instance.report) as room:
            program = _find_installation(room)
            data = room.layout.data / NAME
            _install(program, data)
            fill(_start(room, NAME, program, databases), room.layout.configuration)
            room.stop(NAME)
            log = (room.layout.logs / f"{NAME}.log").read_text()
            if _CLEAN_END not in log:
                raise BuildError(f"MariaDB did not end cleanly.\n{log}")
            (data / _INIT_FILE).unlink()
            data.rename(template)
    return template


def _find_installation(instance: Instance) -> Path:
    """Return the directory that holds MariaDB: the machine's own, or that of unpacked packages."""
    for prefix in _MACHINE:
        if _find_server(prefix) is not None and (prefix / _INSTALL).exists():
            return prefix
    return debian_packages.unpack_packages(instance.project, _PACKAGES, instance.report) / "usr"


def _find_server(prefix: Path) -> Path | None:
    """Return the server's program, which Debian has in another directory than Red Hat's family."""
    candidates = (prefix / directory / "mariadbd" for directory in _SERVER_DIRECTORIES)
    return next((each for each in candidates if each.exists()), None)


def _library_environ(program: Path) -> dict[str, str]:
    """Return what makes unpacked programs find the libraries that were unpacked beside them."""
    if program in _MACHINE:
        return {}
    return {"LD_LIBRARY_PATH": str(next(program.glob("lib/*/libaio.so.1")).parent)}


def _server_user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _install(program: Path, data: Path) -> None:
    """Make an empty database server's directory."""
    command = [str(program / _INSTALL), "--no-defaults", "--skip-test-db"]
    places = [f"--basedir={program}", f"--datadir={data}", f"--user={_server_user()}"]
    # Its administrator then has no password, and can only be whoever runs the server.
    login = "--auth-root-authentication-method=socket"
    run_checked(["/bin/sh", *command, *places, login], data.parent, _library_environ(program))


def _start(instance: Instance, name: str, program: Path, databases: Sequence[str]) -> MariaDb:
    password = secrets.token_hex(16)
    wanted = "".join(
        f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb3;\n"
        for database in databases
    )
    write_secret(
        instance.layout.data / name / _INIT_FILE,
        f"{wanted}"
        f"CREATE OR REPLACE USER {USER}@'{HOST}' IDENTIFIED BY '{password}';\n"
        f"GRANT ALL ON *.* TO {USER}@'{HOST}' WITH GRANT OPTION;\n",
    )
    server = instance.start(lambda port: _service(instance.layout, name, program, port))
    return MariaDb(server.port, password)


def _service(layout: Layout, name: str, program: Path, port: int) -> Service:
    data = layout.data / name
    return Service(
        name=name,
        command=[
            str(_find_server(program)),
            "--no-defaults",
            f"--basedir={program}",
            f"--datadir={data}",
            f"--user={_server_user()}",
            f"--bind-address={HOST}",
            f"--port={port}",
            # In the data's directory: a socket's whole path must be shorter than 108 letters.
            "--socket=mariadb.sock",
            "--pid-file=mariadb.pid",
            f"--init-file={_INIT_FILE}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--performance-schema=off",
            "--transaction-isolation=READ-COMMITTED",
            "--max-connections=500",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=16M",
            # What a crash of the machine would lose lives for minutes.
            "--innodb-flush-log-at-trx-commit=0",
            "--skip-innodb-doublewrite",
        ],
        environ=server_environ(layout, program / "bin", _library_environ(program)),
        directory=data,
        log=layout.logs / f"{name}.log",
        port=port,
        ready_text="ready for connections",
        grace=_GRACE,
    )
