"""What the cloud needs of the operating system: root's rights, and Debian's packages."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.environments import Report
from sandbox.errors import MissingProgramError, SandboxError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PACKAGES = {
    "rabbitmqctl": "rabbitmq-server",
    "qemu-img": "qemu-utils",
    "ip": "iproute2",
    "mkfs.ext4": "e2fsprogs",
    "unshare": "util-linux",
}
_LIBVIRT_PACKAGES = {
    "libvirtd": "libvirt-daemon",
    "qemu-system-x86_64": "qemu-system-x86",
}
_LIBVIRT_LIBRARIES = ("libvirt-daemon-driver-qemu", "python3-libvirt")
_POLICY = Path("/usr/sbin/policy-rc.d")
_LOG_TAIL = 10


def require_root() -> None:
    """Refuse to begin what only root can do.

    Raises:
        SandboxError: this is not root.
    """
    if os.geteuid() != 0:
        raise SandboxError(
            "The cloud needs root: it mounts file systems, makes network devices and starts "
            "virtual machines. Run the command as root, or in a container or virtual machine"
        )


def install_missing(report: Report) -> None:
    """Install the packages whose programs the machine does not have.

    They are installed, not unpacked: Erlang and libvirt look for their files in fixed places.

    Raises:
        MissingProgramError: `apt-get` could not install them; libvirt alone can be done without.
    """
    _install(_missing_packages(_PACKAGES), report)
    if packages := _missing_packages(_LIBVIRT_PACKAGES):
        try:
            _install([*packages, *_LIBVIRT_LIBRARIES], report)
        except MissingProgramError as error:
            report(f"Servers will be the files of their disks, which nobody runs: {error}")


def _missing_packages(packages: Mapping[str, str]) -> list[str]:
    return [name for program, name in packages.items() if not shutil.which(program, path=PATH)]


def _install(packages: Sequence[str], report: Report) -> None:
    if packages:
        report(f"Installing {', '.join(packages)} on this machine with apt-get.")
        with _suppress_service_start():
            _apt_get("update")
            _apt_get("install", "--yes", "--no-install-recommends", *packages)


@contextmanager
def _suppress_service_start() -> Iterator[None]:
    """Keep Debian from starting the servers that it installs; `policy-rc.d` is asked for each."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _apt_get(*arguments: str) -> None:
    command = ["apt-get", "--quiet", *arguments]
    try:
        done = subprocess.run(
            command,
            env={"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise MissingProgramError(f"{' '.join(command)} cannot be run: {error}") from error
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_TAIL:])
        raise MissingProgramError(f"{' '.join(command)} failed.\n{tail}")
