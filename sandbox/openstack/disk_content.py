"""The bytes of a disk that is a file, in whatever format, whoever has it."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.errors import SandboxError

_SECTOR = 512


def read_bytes(path: Path, offset: int, length: int) -> bytes:
    """Return bytes as a virtual machine would see them; one that runs is not disturbed.

    Args:
        path: the disk's file; in Qemu's format, it may build on others.
        offset: of the first byte.
        length: how many.

    Raises:
        SandboxError: they cannot be read.
    """
    if _image_format(path) == "raw":
        with path.open("rb") as disk:
            disk.seek(offset)
            return disk.read(length)
    first, end = offset // _SECTOR, -(-(offset + length) // _SECTOR)
    with tempfile.NamedTemporaryFile() as copy:
        where = [f"bs={_SECTOR}", f"skip={first}", f"count={end}", f"if={path}", f"of={copy.name}"]
        _run_qemu_io(["qemu-img", "dd", "-U", "-O", "raw", *where])
        start = offset - first * _SECTOR
        return copy.read()[start : start + length]


def write_bytes(path: Path, offset: int, data: bytes) -> None:
    """Write bytes.

    Args:
        path: the disk's file. In Qemu's own format it must not be a running machine's, which
            holds a lock on it.
        offset: of the first byte.
        data: what to write.

    Raises:
        SandboxError: they cannot be written.
    """
    if _image_format(path) == "raw":
        with path.open("r+b") as disk:
            disk.seek(offset)
            disk.write(data)
        return
    with tempfile.NamedTemporaryFile() as source:
        source.write(data)
        source.flush()
        _run_qemu_io(["qemu-io", "-c", f"write -s {source.name} {offset} {len(data)}", str(path)])


def _image_format(path: Path) -> str:
    info = json.loads(_run_qemu_io(["qemu-img", "info", "-U", "--output=json", str(path)]))
    image_format: str = info["format"]
    return image_format


def _run_qemu_io(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # qemu-io says what went wrong on its standard output, with exit status 0 or 1.
    if done.returncode != 0 or "failed" in done.stdout:
        raise SandboxError(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
