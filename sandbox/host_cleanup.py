"""What servers change of the machine outside their instance's directory, undone."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import tenacity

from sandbox.errors import SandboxError

_NETWORK_DEVICES = Path("/sys/class/net")
_UNMOUNT_TIMEOUT = 10.0


def unmount_all(home: Path) -> None:
    """Unmount whatever is mounted below a directory; a loop device goes with its mount.

    Raises:
        SandboxError: something is still in use.
    """
    for mounted in sorted(_list_mounts(home), key=lambda path: len(path.parts), reverse=True):
        _unmount(mounted)


def remove_taps(names: Path) -> None:
    """Remove the network devices that have the names of a directory's files, where they exist."""
    for name in [path.name for path in names.glob("tap*")]:
        if (_NETWORK_DEVICES / name).exists():
            subprocess.run(["ip", "link", "delete", name], check=True)
        (names / name).unlink()


def _list_mounts(home: Path) -> Iterator[Path]:
    for partition in psutil.disk_partitions(all=True):
        path = Path(partition.mountpoint)
        if path != home and path.is_relative_to(home):
            yield path


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(SandboxError),
    stop=tenacity.stop_after_delay(_UNMOUNT_TIMEOUT),
    wait=tenacity.wait_fixed(0.2),
    reraise=True,
)
def _unmount(path: Path) -> None:
    """Unmount a file system; one whose last user is just ending is busy for a moment."""
    done = subprocess.run(["umount", str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"{path} cannot be unmounted: {done.stderr.strip()}")
