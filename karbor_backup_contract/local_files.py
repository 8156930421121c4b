"""For harnesses of backends of this machine: files, directories, and a program that fails.

::

    program = FaultyProgram(tmp_path, "tar")
    directories = DirectoryResources(tmp_path / "directories")
    Harness(
        create_backend=lambda: MyBackend(vault, program),
        resources=directories,
        resource_types=["My::Directory"],
        inventory=lambda: Inventory(data=[*list_paths(vault), *directories.list_present()]),
        faults=program.faults,
        pending_faults=lambda: program.pending,
    )
"""

import functools
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_contract.harness import Fault
from karbor_backup_core import Resource

_PREFIX_LENGTH: Final = 40
"""Characters of a resource's name in the name of its folder, which may have 255 bytes in all."""


def list_paths(folder: Path) -> list[str]:
    """Return the paths of everything in a folder, at any depth; none where there is no folder.

    Work that goes on may remove what is in it meanwhile.
    """
    # Path.rglob raises where a directory is gone before it is read, before Python 3.13.
    return [
        os.path.join(parent, name)  # noqa: PTH118 - texts, of which there may be many
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
    ]


@attrs.frozen
class FileResources:
    """Files, each in a folder of its own and with the resource's name; its path is its id.

    Attributes:
        folder: where they are made; it is made at the first one.
    """

    folder: Path

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a file."""
        self.folder.mkdir(exist_ok=True)
        path = Path(tempfile.mkdtemp(dir=self.folder), name)
        path.write_bytes(content)
        return Resource(kind, str(path), name)

    def read(self, resource: Resource) -> bytes:
        """Return the content of a file."""
        return Path(resource.id).read_bytes()

    def write(self, resource: Resource, content: bytes) -> None:
        """Replace the content of a file."""
        Path(resource.id).write_bytes(content)

    def delete(self, resource: Resource) -> None:
        """Lose a file."""
        Path(resource.id).unlink(missing_ok=True)

    def list_present(self) -> list[str]:
        """Return the paths of all files, with their folders."""
        return list_paths(self.folder)


@attrs.frozen
class DirectoryResources:
    """Directories with one file in each; a directory's path is its id.

    Attributes:
        folder: where they are made; it is made at the first one.
        file_name: the name of the file.
    """

    folder: Path
    file_name: str = "file"

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a directory whose name begins with the resource's."""
        self.folder.mkdir(exist_ok=True)
        prefix = f"{name[:_PREFIX_LENGTH]} "
        resource = Resource(kind, tempfile.mkdtemp(prefix=prefix, dir=self.folder), name)
        self.write(resource, content)
        return resource

    def read(self, resource: Resource) -> bytes:
        """Return the content of the file in a directory."""
        return Path(resource.id, self.file_name).read_bytes()

    def write(self, resource: Resource, content: bytes) -> None:
        """Replace the content of the file in a directory."""
        Path(resource.id, self.file_name).write_bytes(content)

    def delete(self, resource: Resource) -> None:
        """Lose a directory with all that is in it."""
        shutil.rmtree(resource.id, ignore_errors=True)

    def list_present(self) -> list[str]:
        """Return the paths of all directories, without what is in them."""
        return [str(path) for path in self.folder.glob("*")]


FAULTY_SCRIPTS: Final[Mapping[Fault, str]] = {
    Fault.FAIL: '"$PROGRAM" "$@"; echo "no space is left" >&2; exit 2',
    Fault.STALL: "exec sleep 60",
    Fault.IGNORES_CANCEL: 'trap "" TERM; sleep 0.3; exec "$PROGRAM" "$@"',
    Fault.UNCANCELLABLE: 'trap "" TERM; sleep 5; exec "$PROGRAM" "$@"',
}
"""What a faulty program does, for the shell; ``$PROGRAM`` is the real one. It heeds SIGTERM, or it
does not: an author whose backend stops a program otherwise writes other scripts."""


@attrs.frozen
class FaultyProgram:
    """A real program, but for the next time that it is started: then it does what a fault says.

    Attributes:
        folder: where faulty programs are written to.
        program: the real program, by name or path.
        scripts: what each fault makes it do.
        pending: the faults that are to happen, the next one first.
    """

    folder: Path
    program: str
    scripts: Mapping[Fault, str] = FAULTY_SCRIPTS
    pending: list[Fault] = attrs.field(factory=list)

    def __call__(self) -> str:
        """Return the program to start now."""
        if not self.pending:
            return self.program
        fault = self.pending.pop(0)
        path = self.folder / f"{fault.name} {Path(self.program).name}"
        path.write_text(f"#!/bin/sh\nPROGRAM={shlex.quote(self.program)}\n{self.scripts[fault]}\n")
        path.chmod(0o755)
        return str(path)

    @property
    def faults(self) -> Mapping[Fault, Callable[[], object]]:
        """The faults for the harness, each with what makes it happen."""
        return {fault: functools.partial(self.pending.append, fault) for fault in self.scripts}
