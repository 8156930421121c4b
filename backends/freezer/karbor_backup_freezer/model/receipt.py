"""An operation's receipt: what its later calls need and Freezer does not tell."""

import math
from collections.abc import Sequence
from typing import Any, Final

import attrs

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Json,
    Leftover,
    Operation,
    Progress,
    ProgressState,
)
from karbor_backup_freezer.agent.escaping import check_identifier
from karbor_backup_freezer.model.items import DiscoveryResult
from karbor_backup_freezer.model.validation import (
    check_contents,
    check_count,
    check_origin,
    check_texts,
)
from karbor_backup_openstack.formats import check_receipt_format

FORMAT: Final = 1


@attrs.frozen(kw_only=True)
class Receipt:
    """What the backend notes of an operation, without a secret.

    Attributes:
        step: the name of the step that was begun last, empty before the first.
        jobs: how many jobs of a restore's work came before the present one.
        client: the client id of the scheduler that runs its job.
        hostname: the name of that scheduler's host.
        storage: the name of the storage.
        doubt: a reply was lost, so that actions without a job may be left.
        discovery: what a protect covers, None where the resource itself is all.
        agent_version: the version of the agent that ran, as Freezer's records say.
        records: what Freezer has recorded of each item of a protect: the record's id, its time,
            and the id of Cinder's own backup.
        notes: what the rebuild of a restore has noted.
        removal: how many times the release has begun to remove data.
        ran: whether the job had run when the last removal was begun.
        moves: how many times the job was taken from a scheduler that did not take it up.
        settles_at: the instant, in seconds since 1970, from which a job that was stopped before
            a scheduler took it up can be taken for stopped; 0 where there is none.
    """

    step: str = ""
    jobs: int = 0
    client: str = ""
    hostname: str = ""
    storage: str = ""
    doubt: bool = False
    discovery: Json | None = None
    agent_version: str = ""
    records: tuple[tuple[str, int, str], ...] = ()
    notes: Json = attrs.field(factory=dict)
    removal: int = 0
    ran: bool = False
    moves: int = 0
    settles_at: float = 0.0

    def to_document(self) -> dict[str, Any]:
        """Return the receipt as JSON; what has its default value is not written."""
        values = attrs.asdict(self, recurse=False)
        filled = {name: value for name, value in values.items() if value}
        if self.records:
            filled["records"] = [list(record) for record in self.records]
        return {"format": FORMAT, **filled}

    def running_progress(self) -> Progress:
        """Return the progress of a step whose work goes on outside, with this receipt."""
        return Progress(ProgressState.RUNNING, receipt=self.to_document())

    def ready_progress(self) -> Progress:
        """Return the progress of a step after which this receipt is stored before all else."""
        return Progress(ProgressState.READY, receipt=self.to_document())

    def succeeded_progress(self, leftovers: Sequence[Leftover] = ()) -> Progress:
        """Return the progress of a step that is complete, with this receipt."""
        return Progress(
            ProgressState.SUCCEEDED, receipt=self.to_document(), leftovers=tuple(leftovers)
        )

    def load_discovery_result(self) -> DiscoveryResult:
        """Return what the protect covers.

        Raises:
            BackendError: it cannot be read.
        """
        try:
            discovery = DiscoveryResult.from_document(self.discovery or {})
            check_contents(discovery.resource, discovery.items, discovery.servers)
        except InvalidInput as error:
            raise BackendError(f"the receipt is damaged: {error}") from None
        return discovery

    @classmethod
    def from_operation(cls, operation: Operation) -> "Receipt":
        """Read an operation's receipt; one that has none yet gets an empty one.

        Raises:
            BackendError: it was written by another version, or is damaged.
        """
        return cls() if operation.receipt is None else cls._from_document(operation.receipt)

    @classmethod
    def _from_document(cls, document: Json) -> "Receipt":
        values = dict(document)
        check_receipt_format(values.pop("format", None), FORMAT)
        try:
            records = tuple((id_, time, native) for id_, time, native in values.pop("records", ()))
            receipt = cls(**{**values, "records": records})
            receipt._validate()
        except (InvalidInput, TypeError, ValueError) as error:
            raise BackendError(f"the receipt is damaged: {error}") from None
        return receipt

    def _validate(self) -> None:
        """Check what was read.

        Raises:
            InvalidInput: a value can never have been written.
        """
        check_texts(attrs.astuple(self, recurse=False))
        for name, expected in _EXPECTED_TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, expected) or (type(value) is bool) is not (expected is bool):
                raise InvalidInput(f"{name}: {type(value).__name__} is of the wrong type")
        check_origin(self)
        check_count("jobs", self.jobs, _MAX_COUNT)
        check_count("removal", self.removal, _MAX_COUNT)
        check_count("moves", self.moves, _MAX_COUNT)
        if not math.isfinite(self.settles_at):
            raise InvalidInput(f"settles_at {self.settles_at}: not an instant")
        for record, time_stamp, native in self.records:
            check_identifier("record", record)
            check_count("time_stamp", time_stamp, 2**40)
            if native:
                check_identifier("native", native)


_MAX_COUNT: Final = 2000
"""More jobs and removals than one operation can have: a handle has no room for so many items."""

_EXPECTED_TYPES: Final[dict[str, Any]] = {
    "step": str,
    "client": str,
    "hostname": str,
    "storage": str,
    "agent_version": str,
    "doubt": bool,
    "ran": bool,
    "discovery": dict | None,
    "notes": dict,
    "settles_at": float | int,
}
