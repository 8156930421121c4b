"""What the contract needs of directories, a vault, and a tar that fails when it is told to."""

import functools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import attrs
from karbor_backup_core import Resource
from karbor_backup_core.contract import Fault, Holdings


@attrs.frozen
class Directories:
    """Directories with a file in each, in a folder of the test's own that is the vault too."""

    folder: Path

    def make(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a directory."""
        parent = self.folder / "directories"
        parent.mkdir(exist_ok=True)
        resource = Resource(kind, tempfile.mkdtemp(prefix=f"{name} ", dir=parent), name)
        self.write(resource, content)
        return resource

    def read(self, resource: Resource) -> bytes:
        """Answer the content of the file in a directory."""
        return Path(resource.id, "file").read_bytes()

    def write(self, resource: Resource, content: bytes) -> None:
        """Replace the content of the file in a directory."""
        Path(resource.id, "file").write_bytes(content)

    def remove(self, resource: Resource) -> None:
        """Lose a directory."""
        shutil.rmtree(resource.id, ignore_errors=True)

    def holdings(self) -> Holdings:
        """List the notes on work, the archives, and the directories."""
        return Holdings(
            bookkeeping=map(str, self.folder.glob("work/*")),
            data=[str(path) for each in ("archives", "directories") for path in self._in(each)],
        )

    def _in(self, name: str) -> list[Path]:
        return list(self.folder.glob(f"{name}/*"))


FAULTS: Final = {
    Fault.FAIL: 'tar "$@"; echo "tar: no space is left" >&2; exit 2',
    Fault.STALL: "exec sleep 60",
    Fault.DEAF: 'trap "" TERM; sleep 0.3; exec tar "$@"',
    Fault.STUBBORN: 'trap "" TERM; sleep 5; exec tar "$@"',
}
"""Programs for the shell, each with something wrong."""


@attrs.frozen
class FaultyTar:
    """A real tar, but for the next time that it is started.

    Attributes:
        folder: where to write programs to.
        planned: the faults that are to happen.
    """

    folder: Path
    planned: list[Fault] = attrs.field(factory=list)

    def __call__(self) -> str:
        """Answer the program to start now."""
        if not self.planned:
            return "tar"
        fault = self.planned.pop(0)
        program = self.folder / fault.name
        program.write_text(f"#!/bin/sh\n{FAULTS[fault]}\n")
        program.chmod(0o755)
        return str(program)

    @property
    def faults(self) -> Mapping[Fault, Callable[[], object]]:
        """The faults, each with what makes it happen."""
        return {fault: functools.partial(self.planned.append, fault) for fault in FAULTS}
