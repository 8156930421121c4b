"""A backup's handle: what a restore needs to know, in this process or another one."""

import functools
import json
from collections.abc import Collection
from typing import Any, Final, Self

import attrs

from karbor_backup_core import Backup, InvalidInput
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.model.items import StoredItem
from karbor_backup_freezer.model.validation import check_handle, check_texts
from karbor_backup_openstack.formats import check_handle_format
from karbor_backup_openstack.server_spec import ServerSpec

FORMAT: Final = 1

_NOT_A_DOCUMENT: Final = (TypeError, ValueError, RecursionError)


@attrs.frozen(kw_only=True)
class Handle:
    """Where a backup is and what is in it, without a secret.

    Attributes:
        kind: the kind of its storage.
        container: its own container.
        backup_name: the name that the agent stored it under.
        hostname: the host's name that the agent stored it under.
        client: the client id of the scheduler that made it.
        job: the id of the job that made it.
        agent_version: the version of the agent that made it, as the record says.
        items: what is stored, in the order of the job's actions.
        servers: the servers that a restore makes again.
    """

    kind: str
    container: str
    backup_name: str
    hostname: str
    client: str
    job: str
    agent_version: str
    items: tuple[StoredItem, ...] = ()
    servers: tuple[ServerSpec, ...] = ()

    @property
    def location(self) -> BackupLocation:
        """Where its data is, in its storage."""
        return BackupLocation(
            container=self.container, backup_name=self.backup_name, hostname=self.hostname
        )

    def for_member(self, wanted: Collection[str]) -> Self:
        """Return the handle of a member: of the resources with these ids alone."""
        return attrs.evolve(
            self,
            items=tuple(stored for stored in self.items if stored.item.id in wanted),
            servers=tuple(server for server in self.servers if server.id in wanted),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the handle as JSON."""
        return {
            "format": FORMAT,
            **attrs.asdict(self, recurse=False),
            "items": [stored.to_document() for stored in self.items],
            "servers": [server.to_document() for server in self.servers],
        }

    @classmethod
    def from_backup(cls, backup: Backup) -> "Handle":
        """Read a backup's handle.

        Raises:
            InvalidInput: it is of another format, or something is missing, or can never have been
                written for this backup.
        """
        check_handle_format(backup, FORMAT)
        try:
            handle = _parse_handle(json.dumps(backup.handle))
            check_handle(handle, backup)
        except (InvalidInput, AttributeError, LookupError, *_NOT_A_DOCUMENT) as error:
            raise InvalidInput(f"backup {backup.id}: its handle is damaged: {error}") from None
        return handle


@functools.lru_cache(maxsize=256)  # every poll reads the handles of all that runs
def _parse_handle(text: str) -> Handle:
    document = json.loads(text)
    check_texts(document)
    del document["format"]
    fields = attrs.fields(Handle)
    for name in (field.name for field in fields if field.type is str):
        if not isinstance(document[name], str):
            raise InvalidInput(f"{name}: {type(document[name]).__name__} is not text")
    return Handle(
        **{
            **document,
            "items": tuple(StoredItem.from_document(stored) for stored in document["items"]),
            "servers": tuple(ServerSpec.from_document(server) for server in document["servers"]),
        }
    )
