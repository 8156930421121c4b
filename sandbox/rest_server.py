"""The part `rest`: a REST server for restic, which is ``rclone serve restic``."""

import secrets
import shutil
from pathlib import Path

import attrs

from sandbox import debian_packages
from sandbox.instance import Instance
from sandbox.ports import HOST
from sandbox.services import Service, server_environ

USER = "backup"

_NAME = "rclone"
_PACKAGES = ("rclone",)


@attrs.frozen
class RestServer:
    """What a client needs.

    Attributes:
        url: the URL, without the user and the repository.
        user: who may log in.
        password: made at random.
        directory: what the server keeps repositories in.
    """

    url: str
    user: str
    password: str = attrs.field(repr=False)
    directory: Path


def bring_up(instance: Instance) -> RestServer:
    """Start the server, over a directory.

    Raises:
        MissingProgramError: there is no rclone, and none could be fetched.
        ServiceError: it did not come up.
    """
    program = _find_rclone(instance)
    layout = instance.layout
    directory = layout.data / "rest"
    directory.mkdir(exist_ok=True)
    password = secrets.token_hex(16)
    # rclone takes each of its options from a variable, too: no argument shows the password.
    credentials = {"RCLONE_USER": USER, "RCLONE_PASS": password, "RCLONE_CONFIG": "/dev/null"}

    def server(port: int) -> Service:
        address = f"{HOST}:{port}"
        return Service(
            name=_NAME,
            command=[str(program), "serve", "restic", "--addr", address, str(directory)],
            environ=server_environ(layout, program.parent, credentials),
            directory=layout.home,
            log=layout.logs / f"{_NAME}.log",
            port=port,
        )

    started = instance.start(server)
    return RestServer(f"http://{HOST}:{started.port}", USER, password, directory)


def _find_rclone(instance: Instance) -> Path:
    """Return the machine's rclone, or an unpacked one."""
    if installed := shutil.which("rclone"):
        return Path(installed)
    root = debian_packages.unpack_packages(instance.project, _PACKAGES, instance.report)
    return root / "usr" / "bin" / "rclone"
