"""A harness for the contract suite: directories of its own, on a Freezer that others may use.

It takes a scheduler on this host that may read and write the host's temporary directory.
"""

import contextlib
import json
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from karbor_backup_contract import Harness, Inventory
from karbor_backup_core import Json, Resource, Verb
from karbor_backup_freezer.api.client import FreezerClient
from karbor_backup_freezer.api.http_client import FreezerHttpClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_openstack.connection import Connection

TIMEOUT: Final = 300.0
"""Seconds for one operation: a scheduler polls once a minute, unless it is told otherwise."""

_BOOKKEEPING: Final = {"jobs": "job_id", "actions": "action_id"}


@attrs.frozen
class DirectoryResources:
    """Directories with one file each.

    Attributes:
        folder: where they are made.
    """

    folder: Path

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a directory whose one file has the name and the content."""
        resource = Resource(kind, self.new_id(kind), name)
        self.path(resource).mkdir(parents=True)
        self.write(resource, content)
        return resource

    def read(self, resource: Resource) -> bytes:
        """Return the content of the one file."""
        (file,) = self.path(resource).iterdir()
        return file.read_bytes()

    def write(self, resource: Resource, content: bytes) -> None:
        """Write the one file anew."""
        (self.path(resource) / resource.name).write_bytes(content)

    def delete(self, resource: Resource) -> None:
        """Remove the directory with all that is in it."""
        shutil.rmtree(self.path(resource), ignore_errors=True)

    def new_id(self, _kind: str) -> str:
        """Return an id that no resource has had."""
        return str(self.folder / uuid.uuid4().hex)

    def path(self, resource: Resource) -> Path:
        """Return where a resource is."""
        return Path(resource.id)

    def list_present(self) -> Iterator[str]:
        """Return all that there are."""
        return (str(path) for path in self.folder.iterdir())


def list_inventory(client: FreezerClient, container: str) -> Inventory:
    """List what Freezer keeps of the backups in a top container."""

    def named(collection: str, field: str) -> Iterator[str]:
        return (
            f"{collection}/{document[field]}"
            for document in client.iter_entries(collection)
            if container in json.dumps(document)
        )

    return Inventory(
        bookkeeping=(x for name, field in _BOOKKEEPING.items() for x in named(name, field)),
        data=named("backups", "backup_id"),
    )


def overwrite_options(verb: Verb, _resource: Resource) -> Json:
    """Return the options by which a directory is restored over what there is."""
    return {"overwrite": True} if verb is Verb.RESTORE else {}


@contextlib.contextmanager
def create_live_harness(
    make: Callable[[Mapping[str, Any]], Any], configuration: Mapping[str, Any]
) -> Iterator[Harness]:
    """Give a harness on the Freezer of a configuration, with a top container of its own.

    Args:
        make: makes the backend of a configuration.
        configuration: as the backend's constructor takes it.
    """
    container = f"contract-{uuid.uuid4().hex}"
    own = {**configuration, "container": container}
    read = Configuration.from_document(own)
    client = FreezerHttpClient(Connection(read))
    with tempfile.TemporaryDirectory(prefix="karbor-backup-") as folder:
        directories = DirectoryResources(Path(folder))

        def inventory() -> Inventory:
            kept = list_inventory(client, container)
            return attrs.evolve(kept, data={*kept.data, *directories.list_present()})

        yield Harness(
            create_backend=lambda: make(own),
            resources=directories,
            resource_types=(DIRECTORY,),
            inventory=inventory,
            options=overwrite_options,
            multi_phase_verbs=(Verb.DELETE,),
            rejects_late_calls=True,
            poll_interval=0.5,
            timeout=TIMEOUT,
        )
