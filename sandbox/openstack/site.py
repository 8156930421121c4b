"""What every service of the cloud is configured from."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from sandbox.environments import Environment
from sandbox.instance import Instance
from sandbox.layout import Layout
from sandbox.mariadb import MariaDb
from sandbox.openstack import configuration
from sandbox.openstack.configuration import Section
from sandbox.openstack.rabbitmq import RabbitMq
from sandbox.services import Service, server_environ
from sandbox.state import State
from sandbox.wsgi import wsgi_server_command

HOST_NAME = "sandbox"
"""What Cinder and Nova call the machine; their records of it must outlive a restart."""

ZONE = "nova"
"""The only availability zone, of servers and of volumes."""

READY_TIMEOUT = 180.0
"""Seconds that a service has to come up: on two cores a dozen of them load at the same time."""

_SHIMS = Path(__file__).parent / "shims"
_PLUGINS = Path(__file__).parent / "plugins"


@attrs.frozen
class Site:
    """The cloud that is being brought up.

    Attributes:
        instance: where it runs.
        state: of the instance: accounts, and where Keystone is.
        environment: what the services are installed in.
        database: where each of them has a database.
        broker: by which the servers of one service call each other.
    """

    instance: Instance
    state: State
    environment: Environment
    database: MariaDb
    broker: RabbitMq

    @property
    def layout(self) -> Layout:
        """The instance's directories."""
        return self.instance.layout

    @property
    def etc(self) -> Path:
        """The directory of the services' configuration files."""
        return self.layout.configuration / "cloud"

    @property
    def taps(self) -> Path:
        """The directory with a file for each network device that may have been made."""
        return self.layout.taps

    def packaged_file(self, path: str) -> Path:
        """Return a file that a service's package brings along."""
        return self.environment.path / "etc" / path

    def make_directory(self, *names: str) -> Path:
        """Return a directory for what a service keeps, made if need be."""
        path = self.layout.data.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def write_configuration(self, name: str, sections: Mapping[str, Section]) -> None:
        """Write a service's configuration, with what all of them need.

        Args:
            name: of the file.
            sections: what this one needs besides, or otherwise.
        """
        policy = self.etc / "policy.yaml"
        policy.write_text("{}\n")
        common: dict[str, Section] = {
            "DEFAULT": {"use_stderr": True},
            "keystone_authtoken": configuration.token_validation(self.state),
            "oslo_concurrency": {"lock_path": self.make_directory("locks")},
            # Otherwise they would look for one in the machine's /etc.
            "oslo_policy": {"policy_file": policy},
        }
        merged = {
            section: {**common.get(section, {}), **sections.get(section, {})}
            for section in {**common, **sections}
        }
        configuration.write_configuration(self.etc / name, merged)

    def api_service(
        self,
        name: str,
        module: str,
        port: int,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        threads: int = 8,
    ) -> Service:
        """Return the server of an API, which is a WSGI application.

        Args:
            name: the server's.
            module: has the `application`.
            port: where it listens.
            arguments: what the application sees as its command line.
            environ: where the application finds its configuration.
            threads: how many requests are dealt with at a time.
        """
        python = self.environment.python
        command = wsgi_server_command(python, module, port, *arguments, threads=threads)
        service = self.make_service(name, command, environ=environ)
        return attrs.evolve(service, port=port, health_url=f"http://127.0.0.1:{port}/")

    def make_service(
        self,
        name: str,
        command: list[str],
        *,
        environ: Mapping[str, str] | None = None,
        ready_text: str | None = None,
    ) -> Service:
        """Return any other server.

        Args:
            name: the server's.
            command: the program, from the services' environment, and its arguments.
            environ: what it needs besides.
            ready_text: what it logs when it is ready.
        """
        surroundings = server_environ(self.layout, self.environment.bin)
        temporary = self.make_directory("tmp")
        more = {
            "PATH": f"{_SHIMS}:{surroundings['PATH']}",
            "PYTHONPATH": str(_PLUGINS),
            "SANDBOX_TAPS": str(self.taps),
            "TMPDIR": str(temporary),
            **(environ or {}),
        }
        return Service(
            name=name,
            command=command,
            environ={**surroundings, **more},
            directory=self.layout.home,
            log=self.layout.logs / f"{name}.log",
            ready_text=ready_text,
            ready_timeout=READY_TIMEOUT,
        )

    def program_path(self, name: str) -> str:
        """Return the path of a program of the services'."""
        return str(self.environment.bin / name)
