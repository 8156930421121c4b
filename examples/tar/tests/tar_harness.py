"""What the contract needs of directories, a vault, and a tar that fails when it is told to."""

import functools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import attrs
from karbor_backup_contract import Fault, Inventory
from karbor_backup_core import Resource


@attrs.frozen
class DirectoryResources:
    """Directories with a file in each, in a folder of the test's own that is the vault too."""

    folder: Path

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a directory."""
        parent = self.folder / "directories"
        parent.mkdir(exist_ok=True)
        resource = Resource(kind, tempfile.mkdtemp(prefix=f"{name} ", dir=parent), name)
        self.write(resource, content)
        return resource

    def read(self, resource: Resource) -> bytes:
        """Return the content of the file in a directory."""
        return Path(resource.id, "file").read_bytes()

    def write(self, resource: Resource, content: bytes) -> None:
        """Replace the content of the file in a directory."""
        Path(resource.id, "file").write_bytes(content)

    def delete(self, resource: Resource) -> None:
        """Lose a directory."""
        shutil.rmtree(resource.id, ignore_errors=True)

    def inventory(self) -> Inventory:
        """List the notes on work, the archives, and the directories."""
        return Inventory(
            bookkeeping=(str(path) for path in self.folder.glob("work/*") if path.is_dir()),
            data=[
                str(path)
                for each in ("archives", "directories")
                for path in self._list_entries(each)
            ],
        )

    def _list_entries(self, name: str) -> list[Path]:
        return list(self.folder.glob(f"{name}/*"))


FAULTY_PROGRAMS: Final = {
    Fault.FAIL: 'tar "$@"; echo "tar: no space is left" >&2; exit 2',
    Fault.STALL: "exec sleep 60",
    Fault.IGNORES_CANCEL: 'trap "" TERM; sleep 0.3; exec tar "$@"',
    Fault.UNCANCELLABLE: 'trap "" TERM; sleep 5; exec tar "$@"',
}
"""Programs for the shell, each with something wrong."""


@attrs.frozen
class FaultyTar:
    """A real tar, but for the next time that it is started.

    Attributes:
        folder: where to write programs to.
        pending: the faults that are to happen.
    """

    folder: Path
    pending: list[Fault] = attrs.field(factory=list)

    def __call__(self) -> str:
        """Return the program to start now."""
        if not self.pending:
            return "tar"
        fault = self.pending.pop(0)
        program = self.folder / fault.name
        program.write_text(f"#!/bin/sh\n{FAULTY_PROGRAMS[fault]}\n")
        program.chmod(0o755)
        return str(program)

    @property
    def faults(self) -> Mapping[Fault, Callable[[], object]]:
        """The faults, each with what makes it happen."""
        return {fault: functools.partial(self.pending.append, fault) for fault in FAULTY_PROGRAMS}
