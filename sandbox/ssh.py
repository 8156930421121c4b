"""The part `ssh`: a real sshd for Freezer's storage kind of that name."""

import os
import pwd
import shutil
from pathlib import Path

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sandbox import debian_packages
from sandbox.accounts import write_secret
from sandbox.instance import Instance
from sandbox.ports import HOST
from sandbox.services import Service, server_environ

NAME = "sshd"

_PACKAGES = ("openssh-server", "libwrap0", "libnss-wrapper")
_PROGRAM_PATH = "/usr/sbin:/usr/local/sbin:/sbin"
_PRIVILEGE_SEPARATION = Path("/run/sshd")


@attrs.frozen
class Ssh:
    """What a client needs.

    Attributes:
        host: the address.
        port: the port.
        user: who may log in: whoever runs the sandbox.
        key: the file with the private key.
        directory: where backups may be put.
        known_hosts: the file with the server's public key.
    """

    host: str
    port: int
    user: str
    key: Path
    directory: Path
    known_hosts: Path


def bring_up(instance: Instance) -> Ssh:
    """Start an sshd with keys of its own, which allows nothing but SFTP.

    Raises:
        MissingProgramError: there is no sshd, and none could be fetched.
        ServiceError: it did not come up.
    """
    program, environ = _find_sshd(instance)
    layout = instance.layout
    home = layout.configuration / NAME
    home.mkdir(mode=0o700, exist_ok=True)
    for key in ("host_key", "user_key"):
        _make_key(home / key)
    if os.geteuid() == 0:
        # Where sshd locks up the part of it that talks to strangers; it is compiled in.
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)

    def sshd(port: int) -> Service:
        (home / "sshd_config").write_text(_configuration(home, port))
        return Service(
            name=NAME,
            command=[str(program), "-D", "-e", "-f", str(home / "sshd_config")],
            environ=server_environ(layout, program.parent, environ),
            directory=home,
            log=layout.logs / f"{NAME}.log",
            port=port,
        )

    started = instance.start(sshd)
    directory = layout.data / "ssh"
    directory.mkdir(exist_ok=True)
    user = pwd.getpwuid(os.geteuid()).pw_name
    known_hosts = home / "known_hosts"
    public = (home / "host_key.pub").read_text()
    known_hosts.write_text(f"[{HOST}]:{started.port} {public}")
    return Ssh(HOST, started.port, user, home / "user_key", directory, known_hosts)


def _configuration(home: Path, port: int) -> str:
    # Without PAM and StrictModes it looks neither at the machine's accounts nor at the modes of the
    # directories above the keys.
    return f"""\
ListenAddress {HOST}
Port {port}
HostKey {home / "host_key"}
AuthorizedKeysFile {home / "user_key.pub"}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""


def _make_key(path: Path) -> None:
    """Make a key pair in the format of ssh-keygen, which Freezer's paramiko reads too."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    write_secret(path, private.decode())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    path.with_suffix(".pub").write_bytes(public + b"\n")


def _find_sshd(instance: Instance) -> tuple[Path, dict[str, str]]:
    """Return the machine's sshd, or an unpacked one with the environment that it needs."""
    if installed := shutil.which("sshd", path=_PROGRAM_PATH):
        return Path(installed), {}
    root = debian_packages.unpack_packages(instance.project, _PACKAGES, instance.report)
    libraries = next(root.glob("usr/lib/*/libnss_wrapper.so")).parent
    home = instance.layout.configuration
    passwd, group = home / "passwd", home / "group"
    # Run by root, sshd wants a user `sshd`, which only an installation makes.
    everybody = (":".join(map(str, entry)) for entry in pwd.getpwall())
    passwd.write_text(
        "\n".join([*everybody, "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin", ""])
    )
    shutil.copyfile("/etc/group", group)
    return root / "usr" / "sbin" / "sshd", {
        "LD_LIBRARY_PATH": str(libraries),
        "LD_PRELOAD": "libnss_wrapper.so",
        "NSS_WRAPPER_PASSWD": str(passwd),
        "NSS_WRAPPER_GROUP": str(group),
    }
