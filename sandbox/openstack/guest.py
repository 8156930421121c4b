"""The guest: an image of a few bytes that boots in a second and tells what is on its disks."""

import re
from pathlib import Path

from sandbox import debian_packages
from sandbox.environments import Report
from sandbox.errors import SandboxError
from sandbox.layout import Project
from sandbox.subprocesses import run_checked

TEXT_OFFSET = 512
"""Where on a disk, in bytes, the text begins that the guest writes to its console."""

LONGEST_TEXT = 128
"""The bytes of such a text that the guest writes; it ends before that at a zero byte."""

PROPERTIES = {"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi"}
"""Properties for its image: a disk on another bus is detached only if the guest lets go of it."""

_FOUND = re.compile(r"^disk \d: (.*?)\r?$", re.MULTILINE)
_SOURCE = Path(__file__).parent / "guest.asm"
_SIZE = 1 << 20


def make_image(project: Project, text: bytes, report: Report) -> bytes:
    """Return a raw image that boots the guest.

    Args:
        project: where Debian's assembler is cached.
        text: what stands at `TEXT_OFFSET` of its disk.
        report: is told when the assembler is fetched.

    Raises:
        SandboxError: the text is too long, or the assembler could not be had.
    """
    if len(text) > LONGEST_TEXT:
        raise SandboxError(f"The guest writes {LONGEST_TEXT} bytes at most, not {len(text)}")
    image = _boot_sector(project, report) + text
    return image.ljust(_SIZE, b"\0")


def has_finished(console: str) -> bool:
    """Whether the guest has looked at all its disks."""
    return "guest: done" in console


def parse_texts(console: str) -> list[str]:
    """Return what the guest found on its disks, in their order."""
    return _FOUND.findall(console)


def _boot_sector(project: Project, report: Report) -> bytes:
    root = debian_packages.unpack_packages(project, ["nasm"], report)
    binary = root / "guest.bin"
    if not binary.exists() or binary.stat().st_mtime < _SOURCE.stat().st_mtime:
        draft = binary.with_suffix(".draft")
        nasm = str(root / "usr" / "bin" / "nasm")
        run_checked([nasm, "-f", "bin", "-o", str(draft), str(_SOURCE)], root)
        draft.replace(binary)
    return binary.read_bytes()
