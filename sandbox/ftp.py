"""The part `ftp`: an FTP server and one with TLS, for Freezer's storage kinds `ftp` and `ftps`."""

import secrets
from collections.abc import Sequence
from pathlib import Path

import attrs

from sandbox.accounts import write_secret
from sandbox.certificates import make_certificate
from sandbox.environments import Environment, ensure_environment
from sandbox.instance import Instance
from sandbox.ports import HOST
from sandbox.services import Service, server_environ

USER = "backup"

_SERVE = Path(__file__).parent / "servers" / "serve_ftp.py"


@attrs.frozen
class Ftp:
    """What a client needs.

    Attributes:
        host: the address.
        port: where FTP is spoken.
        tls_port: where FTP is spoken over TLS, with a certificate that nobody has signed.
        user: who may log in.
        password: made at random.
        directory: what the user sees as `/`.
    """

    host: str
    port: int
    tls_port: int
    user: str
    password: str = attrs.field(repr=False)
    directory: Path


def bring_up(instance: Instance) -> Ftp:
    """Start both servers, over the same directory.

    Raises:
        BuildError: their environment could not be built.
        ServiceError: one did not come up.
    """
    installed = ensure_environment(instance.project, "ftp", instance.report)
    layout = instance.layout
    directory = layout.data / "ftp"
    directory.mkdir(exist_ok=True)
    certificate = layout.configuration / "ftp.pem"
    write_secret(certificate, make_certificate())
    password = secrets.token_hex(16)

    def servers(ports: Sequence[int]) -> list[Service]:
        plain, tls = ports
        arguments = [str(directory), USER]
        return [
            _server(instance, installed, "ftp", plain, arguments, password),
            _server(instance, installed, "ftps", tls, [*arguments, str(certificate)], password),
        ]

    plain, tls = instance.start_all_on_free_ports(servers, 2)
    return Ftp(HOST, plain.port, tls.port, USER, password, directory)


def _server(
    instance: Instance,
    installed: Environment,
    name: str,
    port: int,
    arguments: Sequence[str],
    password: str,
) -> Service:
    layout = instance.layout
    return Service(
        name=name,
        command=[str(installed.python), "-P", str(_SERVE), str(port), *arguments],
        environ=server_environ(layout, installed.bin, {"FTP_PASSWORD": password}),
        directory=layout.home,
        log=layout.logs / f"{name}.log",
        port=port,
    )
