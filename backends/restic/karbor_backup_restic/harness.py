"""A harness for the contract suite: files of its own, in a repository that others may use.

What it copies lies in a second repository, which is its own: a rule loses that.
"""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from karbor_backup_contract import Harness, Inventory
from karbor_backup_contract.local_files import list_paths
from karbor_backup_core import Resource, Secret, Verb
from karbor_backup_restic._abilities import DIRECTORY, FILE, MAINTENANCE
from karbor_backup_restic._config import Configuration, use_repository
from karbor_backup_restic._repository import Repository
from karbor_backup_restic._restic import Restic

TIMEOUT: Final = 300.0
"""Seconds for one operation, also in a repository that is far away."""

_POLL_INTERVAL: Final = 0.2


@attrs.frozen
class FileResources:
    """Directories with one file each, and files.

    Attributes:
        folder: where they are made.
    """

    folder: Path

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a directory with a file in it, or a file alone."""
        self.folder.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{name[:40]} ", dir=self.folder))
        path = folder if kind == DIRECTORY else folder / "the file"
        resource = Resource(kind, str(path), name)
        self.write(resource, content)
        return resource

    def read(self, resource: Resource) -> bytes:
        """Return the content of a directory's file, or of a file."""
        return _content(resource).read_bytes()

    def write(self, resource: Resource, content: bytes) -> None:
        """Replace the content of a directory's file, or of a file."""
        _content(resource).write_bytes(content)

    def delete(self, resource: Resource) -> None:
        """Lose a directory or file."""
        if resource.type == FILE:
            Path(resource.id).unlink(missing_ok=True)
        else:
            shutil.rmtree(resource.id, ignore_errors=True)

    def list_present(self) -> Iterator[str]:
        """Return all that there are."""
        return iter(list_paths(self.folder))


@attrs.frozen
class OwnRepository:
    """A repository of the harness's own, which is made when it is first needed.

    Attributes:
        path: where it is made.
        configuration: that of the backend on it.
    """

    path: Path
    configuration: Mapping[str, Any]

    @classmethod
    def create(cls, path: Path, configuration: Mapping[str, Any]) -> "OwnRepository":
        """Return a repository that differs from a configuration's in its place and password."""
        own = {"repository": str(path), "password": Secret(secrets.token_urlsafe())}
        return cls(path, use_repository(configuration, own))

    @property
    def source(self) -> Mapping[str, Any]:
        """The settings by which another backend copies from it."""
        return {key: self.configuration[key] for key in ("repository", "password")}

    def make(self) -> Mapping[str, Any]:
        """Make it, unless it was made before, and return the configuration."""
        if not self.path.exists():
            Restic(Configuration.from_document(self.configuration)).run("make it", "init")
        return self.configuration

    def lose(self) -> None:
        """Remove all that is in it; it is not made anew."""
        shutil.rmtree(self.path)
        self.path.mkdir()

    def list_snapshots(self) -> Iterator[str]:
        """Return all snapshots in it."""
        return (path.name for path in self.path.glob("snapshots/*"))


@contextlib.contextmanager
def create_live_harness(
    make: Callable[[Mapping[str, Any]], Any], configuration: Mapping[str, Any]
) -> Iterator[Harness]:
    """Return a harness on the repository that a configuration names, which others may use.

    Its jobs and files are in a temporary directory, and so is the repository that it copies from.

    Args:
        make: makes the backend object from a configuration, as ``ResticBackend`` does.
        configuration: the backend's configuration.
    """
    with tempfile.TemporaryDirectory(prefix="karbor-backup-contract-") as folder:
        jobs = Path(folder, "jobs")
        # The rules begin more than the limit of each verb: a small one keeps that short.
        shared = {**configuration, "jobs": str(jobs), "work_limit": 2}
        first = OwnRepository.create(Path(folder, "first repository"), shared)
        own = {**shared, "sources": {"contract": first.source}}
        repository = Repository(Restic(Configuration.from_document(own)))
        resources = FileResources(Path(folder, "resources"))

        def list_inventory() -> Inventory:
            return Inventory(
                bookkeeping=(str(path) for path in jobs.glob("*") if path.is_dir()),
                data=(
                    *_list_snapshots(repository, folder),
                    *first.list_snapshots(),
                    *resources.list_present(),
                ),
            )

        yield Harness(
            create_backend=lambda: make(own),
            create_copy_source=lambda: make(first.make()),
            lose_copy_source=first.lose,
            resources=resources,
            resource_types=(DIRECTORY, FILE),
            inventory=list_inventory,
            exclusive_maintenance=list(MAINTENANCE),
            multi_phase_verbs=(Verb.RESTORE,),
            poll_interval=_POLL_INTERVAL,
            timeout=TIMEOUT,
        )


def _list_snapshots(repository: Repository, folder: str) -> Iterator[str]:
    """Return the snapshots of what lies in a folder."""
    for snapshot in repository.snapshots():
        if any(Path(path).is_relative_to(folder) for path in snapshot.paths):
            yield snapshot.id


def _content(resource: Resource) -> Path:
    return Path(resource.id, "file") if resource.type == DIRECTORY else Path(resource.id)
