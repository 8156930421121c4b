"""What the fake cloud keeps: resources, copies of them, and the jobs that work on them."""

import enum
from datetime import datetime

import attrs

from karbor_backup_core import Check, Part, Resource


class CloudError(Exception):
    """The cloud refused a request for good."""


class NotFound(CloudError):
    """The cloud holds nothing of that id."""


class Unavailable(CloudError):
    """The cloud could not answer; it may do so later.

    Attributes:
        retry_after: seconds after which to try again, where the cloud says so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@attrs.frozen
class Asset:
    """A resource of the cloud with what is in it.

    Attributes:
        resource: its type, id and name.
        content: the data in it; empty while a restore is filling it.
        members: ids of the resources inside it or attached to it.
        operation: the tag of the operation that made it; empty for what a user made.
    """

    resource: Resource
    content: bytes = b""
    members: tuple[str, ...] = ()
    operation: str = ""


@attrs.frozen
class Copy:
    """What the cloud's backup service stores of one resource.

    Attributes:
        id: the service's id for it.
        resource: what was copied.
        content: the data as it was when the copy was begun.
        digest: the SHA-256 of the data, written when the copy was begun.
        members: ids of the copies of the resource's members.
        operation: the tag of the operation that made it.
        vault: the name of the vault that keeps it.
        parent: the id of the copy that this one holds the changes since; empty for a full one.
        complete: whether the copy was finished; an incomplete one cannot be restored.
    """

    id: str
    resource: Resource
    content: bytes
    digest: str
    members: tuple[str, ...]
    operation: str
    vault: str = ""
    parent: str = ""
    complete: bool = False


class JobKind(enum.StrEnum):
    """What a job does."""

    PREPARE = "prepare"
    COPY = "copy"
    REPLICATE = "replicate"
    RESTORE_MEMBERS = "restore members"
    RESTORE = "restore"
    ERASE = "erase"
    READ = "read"
    UNDO = "undo"
    PRUNE = "prune"
    CHECK = "check"


@attrs.frozen(kw_only=True)
class Task:
    """What a job is asked to do.

    Attributes:
        kind: what it does.
        resource: what to copy.
        copy: the id of the copy to replicate, restore, erase or read.
        vault: the name of the vault that is to keep what is copied.
        name: the name of the restored resource.
        incremental: copy only what has changed since the latest copy, if there is one.
        in_place: restore under the old id, which must be free.
        members_from: the id of the job that restored the members.
        targets: ids of what to undo.
    """

    kind: JobKind
    resource: Resource | None = None
    copy: str = ""
    vault: str = ""
    name: str = ""
    incremental: bool = False
    in_place: bool = False
    members_from: str = ""
    targets: tuple[str, ...] = ()


class JobState(enum.StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def active(self) -> bool:
        """Whether the job has not ended."""
        return self in (JobState.QUEUED, JobState.RUNNING)


@attrs.frozen(kw_only=True)
class Job:
    """Work of the cloud that goes on between requests.

    Attributes:
        id: the service's id for it.
        operation: the tag that its maker gave it.
        phase: the number that its maker gave it.
        task: what it does.
        started_at: when it was begun; while it is queued, when it was asked for.
        ends_at: when its work will be done, were it begun at ``started_at``; None for never.
        state: where it is.
        reason: why it failed or was cancelled.
        size: the bytes to work on.
        done: the bytes worked on, as of the answer that carries this record.
        fails: why it is going to fail; empty when it is not.
        fails_member: the id or name of the only member that fails; empty for the whole.
        heeds_cancel: whether a cancel stops it.
        made: ids of the copies or resources that it made; of a copy the whole first, then its
            members in the order of ``parts``.
        restored: what it restored, the whole first.
        parts: how its members ended.
        checks: what it found.
    """

    id: str
    operation: str
    phase: int
    task: Task
    started_at: datetime
    ends_at: datetime | None
    state: JobState = JobState.RUNNING
    reason: str = ""
    size: int = 0
    done: int = 0
    fails: str = ""
    fails_member: str = ""
    heeds_cancel: bool = True
    made: tuple[str, ...] = ()
    restored: tuple[Resource, ...] = ()
    parts: tuple[Part, ...] = ()
    checks: tuple[Check, ...] = ()
