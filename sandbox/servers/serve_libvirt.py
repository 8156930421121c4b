"""Runs libvirtd with its files in one directory, until it is ended; then nothing is left of it.

usage: unshare --mount --pid --fork --kill-child --mount-proc serve_libvirt.py DIRECTORY

In namespaces of its own it sees DIRECTORY where it looks for its files, and this process is the
first, at whose end the system ends every virtual machine.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PLACES = {
    "etc": "/etc/libvirt",
    "lib": "/var/lib/libvirt",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
    "run": "/run/libvirt",
    "passwd": "/etc/passwd",
    "group": "/etc/group",
}
TIMEOUT = 600


def main(directory: str) -> None:
    """Serve until the process is ended."""
    for name, place in PLACES.items():
        if not Path(place).exists():
            Path(place).mkdir(parents=True)
        subprocess.run(["mount", "--bind", f"{directory}/{name}", place], check=True)
    server = subprocess.Popen(
        # Left alone it would hold a file that is every libvirtd's of the machine.
        ["libvirtd", "--config=/etc/libvirt/libvirtd.conf", "--pid-file=/run/libvirt/libvirtd.pid"]
    )
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    wait_until_ready(Path(directory) / "run" / "libvirt-sock", server)
    # Whatever loses its parent becomes a child of this process, which alone can let it go.
    while os.wait()[0] != server.pid:
        pass


def wait_until_ready(path: Path, server: subprocess.Popen[bytes]) -> None:
    """Print that the server accepts connections; give up when it has ended."""
    for _ in range(TIMEOUT):
        with socket.socket(socket.AF_UNIX) as probe:
            if server.poll() is not None or probe.connect_ex(str(path)) == 0:
                break
        time.sleep(0.1)
    if server.poll() is not None:
        sys.exit("libvirtd has ended")
    print("libvirtd is ready", flush=True)  # noqa: T201 - it is what the sandbox waits for


if __name__ == "__main__":
    main(*sys.argv[1:])
