"""One instance: the directory that it lives in, and the servers that run there."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import attrs
import tenacity

from sandbox import host_cleanup, processes, services, state
from sandbox.environments import Report
from sandbox.errors import ServiceError
from sandbox.layout import Layout, Project
from sandbox.ports import free_port
from sandbox.services import PortTakenError, Service, StartedServer
from sandbox.state import State

PORT_ATTEMPTS = 3

another_port = tenacity.retry(
    retry=tenacity.retry_if_exception_type(PortTakenError),
    stop=tenacity.stop_after_attempt(PORT_ATTEMPTS),
    reraise=True,
)
"""Does it over when somebody else took the port between its choice and the server's bind."""


def report_nothing(_line: str) -> None:
    """Report nothing."""


@attrs.frozen
class Instance:
    """What can be done with an instance, whether it is up, half up, or was left by a crash.

    Attributes:
        project: the checkout that it belongs to.
        layout: its directory.
        report: is told, in lines for people, what is being done.
    """

    project: Project
    layout: Layout
    report: Report = report_nothing

    @property
    def is_up(self) -> bool:
        """Whether it has been brought up, and not been taken down since."""
        return self.layout.state.exists()

    @property
    def is_abandoned(self) -> bool:
        """Whether a crash has left it: half up, half down, or up with no server or no owner left.

        To be asked with the project's lock held, so that none is half up because somebody is at it.
        """
        if not self.layout.records.exists():
            return False
        runs = any(server.is_running for server in self.servers().values())
        return not (self.is_up and runs) or self.state.is_orphan

    @property
    def state(self) -> State:
        """What is remembered of it; read anew each time, since other processes write it too.

        Raises:
            NotRunningError: it is not up.
        """
        return state.load_state(self.layout)

    def write_state(self, new: State) -> None:
        """Write its state."""
        state.save_state(self.layout, new)

    def servers(self) -> dict[str, StartedServer]:
        """Return its servers in the order of their names, whether they run or not."""
        return services.load_servers(self.layout.records)

    def launch(self, service: Service) -> StartedServer:
        """Start a server without waiting for it.

        Raises:
            ServiceError: its program cannot be started.
        """
        return services.launch_server(service, self.layout.records)

    def start(self, make: Callable[[int], Service]) -> StartedServer:
        """Start a server on a free port and wait until it is ready.

        Args:
            make: returns the server for a port.

        Raises:
            ServiceError: it did not come up.
        """
        return self.start_all_on_free_ports(lambda ports: [make(*ports)], 1)[0]

    @another_port
    def start_all_on_free_ports(
        self, make: Callable[[Sequence[int]], Iterable[Service]], count: int
    ) -> list[StartedServer]:
        """Start servers on free ports at the same time, and wait until all are ready.

        Args:
            make: returns the servers for as many ports.
            count: how many ports are needed.

        Raises:
            ServiceError: one did not come up; none of them is left running.
        """
        return self.start_all(make([free_port() for _ in range(count)]))

    def start_all(self, servers: Iterable[Service]) -> list[StartedServer]:
        """Start servers at the same time, and wait until all are ready.

        Raises:
            ServiceError: one did not come up; none of them is left running.
        """
        started: list[StartedServer] = []
        try:
            started.extend(map(self.launch, servers))
            for server in started:
                self.wait(server)
        except BaseException:
            services.stop_servers(started, self.layout.records)
            raise
        return started

    def wait(self, started: StartedServer) -> None:
        """Wait until a server that was launched is ready.

        Raises:
            ServiceError: it did not come up.
        """
        services.wait_until_server_ready(started)

    def stop(self, name: str) -> None:
        """Stop one server with all that it started; `restart` brings it back.

        Raises:
            ServiceError: there is no server of that name.
        """
        services.stop_servers([self._find_server(name)], self.layout.records)

    def stop_all(self, names: Iterable[str]) -> None:
        """Stop several servers at the same time.

        Raises:
            ServiceError: there is no server of one of the names.
        """
        services.stop_servers([self._find_server(name) for name in names], self.layout.records)

    def restart(self, name: str) -> None:
        """Stop one server, where it runs, and start it again on the port that it had.

        Raises:
            ServiceError: there is no server of that name, or it did not come up.
        """
        server = self._find_server(name)
        services.stop_servers([server], self.layout.records)
        self.start_all([server.service])

    def take_down(self, *, keep_logs: bool = False) -> None:
        """End every process of the instance and remove its files; nothing to do is no error.

        Args:
            keep_logs: whether the logs stay, until this instance comes up or goes down again.
        """
        processes.terminate(server.process for server in self.servers().values())
        processes.terminate_marked(str(self.layout.home))
        self.undo_host_changes()
        if not self.layout.home.exists():
            return
        # From here on it is not up; it is abandoned, should this be interrupted, until the last.
        self.layout.state.unlink(missing_ok=True)
        kept = {self.layout.logs} if keep_logs else set()
        for path in set(self.layout.home.iterdir()) - kept - {self.layout.records}:
            _remove_files(path)
        _remove_files(self.layout.records)
        if not kept:
            self.layout.home.rmdir()

    def undo_host_changes(self) -> None:
        """Undo what the servers have changed of the machine outside the instance's directory.

        Raises:
            SandboxError: a file system is still in use.
        """
        host_cleanup.unmount_all(self.layout.home)
        host_cleanup.remove_taps(self.layout.taps)

    def _find_server(self, name: str) -> StartedServer:
        servers = self.servers()
        if name not in servers:
            known = ", ".join(servers) or "none"
            raise ServiceError(
                f"There is no server {name!r} in {self.layout.name!r}, only: {known}"
            )
        return servers[name]


def remove_abandoned(project: Project) -> None:
    """Take down every instance that a crash has left; the caller holds the project's lock."""
    for layout in project.instances():
        instance = Instance(project, layout)
        if instance.is_abandoned:
            instance.take_down()


def _remove_files(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
