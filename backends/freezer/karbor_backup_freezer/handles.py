"""A backup's handle: what a restore needs to know, in this process or another one."""

from collections.abc import Collection
from typing import Any, Final, Self

import attrs

from karbor_backup_core import Backup, InvalidDocument, InvalidInput, Json, Resource
from karbor_backup_freezer.pieces import Mode, Piece, ServerNotes, StoredPiece
from karbor_backup_freezer.resources import PROJECT
from karbor_backup_freezer.stored.layout import Place

FORMAT: Final = 2


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
        pieces: what is stored, in the order of the job's actions.
        servers: the servers that a restore makes again.
    """

    kind: str
    container: str
    backup_name: str
    hostname: str
    client: str
    job: str
    agent_version: str
    pieces: tuple[StoredPiece, ...] = ()
    servers: tuple[ServerNotes, ...] = ()

    @property
    def place(self) -> Place:
        """Where its data is, in its storage."""
        return Place(container=self.container, backup_name=self.backup_name, hostname=self.hostname)

    def member(self, wanted: Collection[str]) -> Self:
        """The handle of a member: of the resources with these ids alone."""
        return attrs.evolve(
            self,
            pieces=tuple(stored for stored in self.pieces if stored.piece.id in wanted),
            servers=tuple(server for server in self.servers if server.id in wanted),
        )

    def document(self) -> dict[str, Any]:
        """The handle as JSON."""
        return {
            "format": FORMAT,
            **attrs.asdict(self, recurse=False),
            "pieces": [stored.document() for stored in self.pieces],
            "servers": [server.document() for server in self.servers],
        }

    @classmethod
    def of(cls, backup: Backup) -> "Handle":
        """Read a backup's handle.

        Raises:
            InvalidInput: it is of a later format, or something is missing.
        """
        written = backup.handle.get("format")
        try:
            match written:
                case 1:
                    return _read_first(backup.handle, backup.resource)
                case 2:
                    return _read(backup.handle)
        except (InvalidDocument, KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"backup {backup.id}: its handle is damaged: {error}") from None
        raise InvalidInput(
            f"backup {backup.id}: its handle has format {written!r} and this version reads "
            f"formats up to {FORMAT}: use the version of karbor-backup that made it"
        )


def _read(document: Json) -> Handle:
    values = {**document}
    del values["format"]
    return Handle(
        **{
            **values,
            "pieces": tuple(StoredPiece.read(stored) for stored in values["pieces"]),
            "servers": tuple(ServerNotes.read(server) for server in values["servers"]),
        }
    )


def _read_first(document: Json, resource: Resource) -> Handle:
    """Read format 1, in which a backup had one piece, and nothing told what was in it."""
    values = {**document}
    del values["format"]
    mode = Mode.TENANT if resource.type == PROJECT else Mode(values["mode"])
    del values["mode"]
    stored = StoredPiece(
        piece=Piece(type=resource.type, id=resource.id, name=resource.name, mode=mode),
        record=values.pop("record"),
        time_stamp=values.pop("time_stamp"),
    )
    return Handle(**values, pieces=(stored,))
