"""A backup's handle: what a restore needs to know, in this process or another one."""

from typing import Any, Final

import attrs

from karbor_backup_core import Backup, InvalidInput, Json

FORMAT: Final = 1


@attrs.frozen(kw_only=True)
class Handle:
    """Where a backup is, without a secret.

    Attributes:
        mode: the agent's mode that made it, so that later ways of storing can be told apart.
        kind: the kind of its storage.
        container: its own container.
        backup_name: the name that the agent stored it under.
        hostname: the host's name that the agent stored it under.
        client: the client id of the scheduler that made it.
        job: the id of the job that made it.
        record: the id of Freezer's record of it.
        time_stamp: when it was made by its scheduler's clock, in seconds since 1970.
        agent_version: the version of the agent that made it, as the record says.
    """

    mode: str
    kind: str
    container: str
    backup_name: str
    hostname: str
    client: str
    job: str
    record: str
    time_stamp: int
    agent_version: str

    def document(self) -> dict[str, Any]:
        """The handle as JSON."""
        return {"format": FORMAT, **attrs.asdict(self)}

    @classmethod
    def of(cls, backup: Backup) -> "Handle":
        """Read a backup's handle.

        Raises:
            InvalidInput: it is of a later format, or something is missing.
        """
        return cls.read(backup.handle, backup.id)

    @classmethod
    def read(cls, document: Json, backup_id: str) -> "Handle":
        """Read a handle; errors are those of ``of``."""
        values = dict(document)
        written = values.pop("format", None)
        if written != FORMAT:
            raise InvalidInput(
                f"backup {backup_id}: its handle has format {written!r} and this version reads "
                f"format {FORMAT}: use the version of karbor-backup that made it"
            )
        try:
            return cls(**values)
        except TypeError as error:
            raise InvalidInput(f"backup {backup_id}: its handle is damaged: {error}") from None
