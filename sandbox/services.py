"""One server of a sandbox: how it is started, and how it is known to be ready."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path

import attrs
import cattrs
import psutil
import requests
import tenacity

from sandbox import processes
from sandbox.errors import ServiceError
from sandbox.layout import Layout
from sandbox.ports import HOST
from sandbox.processes import ProcessId

READY_TIMEOUT = 60.0
"""Seconds that a server has to come up, unless it is known to need more."""

_LOG_TAIL = 25
_PORT_TAKEN = ("address already in use", "could not bind to")


class PortTakenError(ServiceError):
    """Somebody else listens on the port that was chosen for a server."""


@attrs.frozen
class Service:
    """What it takes to start a server, and to start it again.

    Attributes:
        name: unique within the instance.
        command: the program and its arguments.
        environ: the whole environment of the process.
        directory: where it is started.
        log: the file that both of its outputs go to.
        port: the loopback port that it must listen on to be ready.
        health_url: must answer with a status below 500 for the server to be ready.
        ready_text: must be in the log, after this start, for the server to be ready.
        ready_timeout: seconds that it has to come up.
        grace: seconds that it has to end by itself when it is stopped, before it is killed.
    """

    name: str
    command: list[str]
    environ: dict[str, str]
    directory: Path
    log: Path
    port: int | None = None
    health_url: str | None = None
    ready_text: str | None = None
    ready_timeout: float = READY_TIMEOUT
    grace: float = processes.GRACE


@attrs.frozen
class StartedServer:
    """A server that has been started, and may have ended or been stopped since.

    Attributes:
        service: how it was started.
        process: the process that was started for it.
        log_offset: how long the log was before this start, in bytes.
        stopped: whether it was stopped on purpose.
    """

    service: Service
    process: ProcessId
    log_offset: int
    stopped: bool = False

    @property
    def port(self) -> int:
        """The port that it listens on.

        Raises:
            ServiceError: it listens on none.
        """
        if self.service.port is None:
            raise ServiceError(f"{self.service.name} listens on no port")
        return self.service.port

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return not self.stopped and self.process.process() is not None

    def read_log_since_start(self) -> str:
        """Return what it has logged since this start."""
        with self.service.log.open("rb") as log:
            log.seek(self.log_offset)
            return log.read().decode(errors="replace")


def server_environ(
    layout: Layout, programs: Path, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the whole environment of a server: nothing of the caller's own gets into it.

    Args:
        layout: the instance that it belongs to; the process is marked with it.
        programs: is searched first for programs.
        more: what this server needs besides.
    """
    return {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(layout.home),
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "ignore",
        # The machine's resolver does; a whole DNS client takes a sixth of each agent's start.
        "EVENTLET_NO_GREENDNS": "yes",
        processes.MARK: str(layout.home),
        **(more or {}),
    }


def launch_server(service: Service, records: Path) -> StartedServer:
    """Start a server and write down that it was started.

    Raises:
        ServiceError: its program cannot be started.
    """
    offset = service.log.stat().st_size if service.log.exists() else 0
    try:
        process = processes.start_process(
            service.command,
            environ=service.environ,
            directory=service.directory,
            log=service.log,
        )
    except OSError as error:
        raise ServiceError(f"{service.name} cannot be started: {error}") from error
    started = StartedServer(service, process, offset)
    _save_record(started, records)
    return started


def wait_until_server_ready(started: StartedServer, *, timeout: float | None = None) -> None:
    """Wait until a server that was launched does its work.

    Args:
        started: what `launch` returned.
        timeout: seconds, if not as many as the server is known to need.

    Raises:
        PortTakenError: it ended because its port is taken.
        ServiceError: it ended, or was not ready in time; the text ends with the tail of its log.
    """
    limit = started.service.ready_timeout if timeout is None else timeout
    wait = tenacity.Retrying(
        stop=tenacity.stop_after_delay(limit),
        wait=tenacity.wait_fixed(0.1),
        retry=tenacity.retry_if_result(lambda ready: not ready),
    )
    try:
        wait(_is_ready, started)
    except tenacity.RetryError:
        raise ServiceError(
            f"{started.service.name} was not ready after {limit:g} seconds.\n{_log_tail(started)}"
        ) from None


def stop_servers(started: Iterable[StartedServer], records: Path) -> None:
    """Stop servers, with all that they started, and write down that they were stopped."""
    started = list(started)
    grace = max((each.service.grace for each in started), default=processes.GRACE)
    processes.terminate((each.process for each in started), grace=grace)
    for each in started:
        _save_record(attrs.evolve(each, stopped=True), records)


def load_servers(records: Path) -> dict[str, StartedServer]:
    """Return every server that was ever started in an instance, in the order of their names."""
    documents = (json.loads(path.read_text()) for path in sorted(records.glob("*.json")))
    servers = [cattrs.structure(document, StartedServer) for document in documents]
    return {each.service.name: each for each in servers}


def _save_record(started: StartedServer, records: Path) -> None:
    path = records / f"{started.service.name}.json"
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(cattrs.unstructure(started), indent=2))
    draft.replace(path)


def _is_ready(started: StartedServer) -> bool:
    service = started.service
    process = started.process.process()
    if process is None:
        raise _startup_error(started)
    if service.port is not None and not _is_listening(process, service.port):
        return False
    if service.ready_text is not None and service.ready_text not in started.read_log_since_start():
        return False
    return service.health_url is None or _responds(service.health_url)


def _is_listening(process: psutil.Process, port: int) -> bool:
    """Whether this very process listens, and not another that was faster to take the port."""
    try:
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for connection in process.net_connections(kind="tcp4")
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        # While a process ends, its open files belong to root, whoever started it.
        return False


def _responds(url: str) -> bool:
    with requests.Session() as client:
        client.trust_env = False  # no proxy stands before loopback
        try:
            return client.get(url, timeout=5).status_code < HTTPStatus.INTERNAL_SERVER_ERROR
        except requests.RequestException:
            return False


def _startup_error(started: StartedServer) -> ServiceError:
    name, log = started.service.name, _log_tail(started)
    if any(sign in log.lower() for sign in _PORT_TAKEN):
        return PortTakenError(f"{name} found port {started.service.port} of {HOST} taken.\n{log}")
    return ServiceError(f"{name} ended while it was starting.\n{log}")


def _log_tail(started: StartedServer) -> str:
    lines = started.read_log_since_start().splitlines()[-_LOG_TAIL:]
    return "\n".join([f"The end of its log {started.service.log}:", *lines])
