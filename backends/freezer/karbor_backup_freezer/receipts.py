"""An operation's receipt: what its later calls need and Freezer does not tell."""

from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, Json, Operation

FORMAT: Final = 1


@attrs.frozen(kw_only=True)
class Receipt:
    """What the backend notes of an operation, without a secret.

    Attributes:
        client: the client id of the scheduler that runs its job.
        storage: the name of the storage.
        doubt: a reply was lost, so that actions without a job may be left.
        removal: how many times the release has begun to remove data.
        ran: whether the job had run when the last removal was begun.
        settles_at: the instant, in seconds since 1970, from which a job that was stopped before
            a scheduler took it up can be taken for stopped; 0 where there is none.
    """

    client: str = ""
    storage: str = ""
    doubt: bool = False
    removal: int = 0
    ran: bool = False
    settles_at: float = 0.0

    def document(self) -> dict[str, Any]:
        """The receipt as JSON."""
        return {"format": FORMAT, **attrs.asdict(self)}

    @classmethod
    def of(cls, operation: Operation) -> "Receipt":
        """Read an operation's receipt; one that has none yet gets an empty one.

        Raises:
            BackendError: it was written by a later version.
        """
        return cls() if operation.receipt is None else cls._read(operation.receipt)

    @classmethod
    def _read(cls, document: Json) -> "Receipt":
        values = dict(document)
        written = values.pop("format", None)
        if written != FORMAT:
            raise BackendError(
                f"the receipt has format {written!r} and this version reads format {FORMAT}: "
                "use the version of karbor-backup that began the operation"
            )
        return cls(**values)
