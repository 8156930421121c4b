"""RabbitMQ, by which the servers of one service call each other."""

import secrets
from collections.abc import Sequence
from pathlib import Path

import attrs

from sandbox.accounts import write_secret
from sandbox.errors import MissingProgramError
from sandbox.instance import Instance
from sandbox.ports import HOST, free_port
from sandbox.services import Service, server_environ

NAME = "rabbitmq"
USER = "sandbox"

_PROGRAMS = Path("/usr/lib/rabbitmq/lib")


@attrs.frozen
class RabbitMq:
    """What a client needs.

    Attributes:
        port: where AMQP is spoken.
        password: of the user `sandbox`, made at random.
    """

    port: int
    password: str = attrs.field(repr=False)

    @property
    def url(self) -> str:
        """The `transport_url` of oslo.messaging."""
        return f"rabbit://{USER}:{self.password}@{HOST}:{self.port}/"


def allocate() -> RabbitMq:
    """Return a server that can be started: a free port and a new password."""
    return RabbitMq(free_port(), secrets.token_hex(16))


def bring_up(instance: Instance) -> RabbitMq:
    """Start a server of its own, beside the cloud's.

    Raises:
        MissingProgramError: it is not installed.
        ServiceError: it did not come up.
    """
    broker = allocate()
    instance.wait(instance.launch(service(instance, broker, f"{NAME}-own")))
    return broker


def service(instance: Instance, broker: RabbitMq, name: str = NAME) -> Service:
    """Configure a server and return it; it listens on two more ports, for Erlang itself.

    Raises:
        MissingProgramError: it is not installed.
    """
    home = instance.layout.data / name
    home.mkdir(exist_ok=True)
    (home / "env.conf").touch()
    (home / "enabled_plugins").write_text("[].\n")
    write_secret(home / "rabbitmq.conf", _configuration(broker))
    return Service(
        name=name,
        command=[str(_find_program() / "sbin" / "rabbitmq-server")],
        environ=server_environ(instance.layout, Path("/usr/sbin"), _server_environ(home)),
        directory=home,
        log=instance.layout.logs / f"{name}.log",
        ready_text="Server startup complete",
    )


def _find_program() -> Path:
    folders: Sequence[Path] = sorted(_PROGRAMS.glob("rabbitmq_server-*"))
    if not folders:
        raise MissingProgramError(
            f"RabbitMQ is not in {_PROGRAMS}. Install it (Debian: apt-get install rabbitmq-server)"
        )
    return folders[-1]


def _configuration(broker: RabbitMq) -> str:
    return f"""\
listeners.tcp.1 = {HOST}:{broker.port}
default_user = {USER}
default_pass = {broker.password}
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 512MB
log.console = true
log.console.level = info
log.file = false
"""


def _server_environ(home: Path) -> dict[str, str]:
    one_thread = "+S 1:1 +sbwt none"  # which does not spin when it has nothing to do
    return {
        "HOME": str(home),
        "RABBITMQ_NODENAME": "sandbox@localhost",
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "env.conf"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            f"-kernel inet_dist_use_interface {{127,0,0,1}} {one_thread}"
        ),
        "ERL_EPMD_ADDRESS": HOST,
        "ERL_EPMD_PORT": str(free_port()),
    }
