"""The data model: resources, backups, operations, and a backend's reports on them.

Everything here is frozen and made of JSON values, so that it can be stored, sent to another
process and compared. ``karbor_backup_core.documents`` turns it into JSON and back.
"""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

import attrs

from karbor_backup_core._errors import OperationFailed, OperationRefused

Json: TypeAlias = Mapping[str, Any]
"""A JSON object: strings, numbers, booleans, None, lists and objects of them."""

RECEIPT_LIMIT: Final = 64 * 1024
"""The largest receipt or handle that the core stores, in bytes of JSON."""

LimitedJson: TypeAlias = Annotated[Json, "at most RECEIPT_LIMIT"]
"""A JSON object of at most ``RECEIPT_LIMIT`` bytes."""


class Verb(enum.StrEnum):
    """The action of an operation."""

    PROTECT = "protect"
    RESTORE = "restore"
    DELETE = "delete"
    VERIFY = "verify"
    MAINTAIN = "maintain"
    """Maintenance of what all backups share; it has no backup of its own."""
    COPY = "copy"
    """A second backup made of a first one, in the place that its backend uses."""


class State(enum.StrEnum):
    """The state of an operation (see ``docs/explanation/architecture.md``)."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    RUNNING = "running"
    ENDED = "ended"
    RELEASING = "releasing"
    RELEASED = "released"


class Result(enum.StrEnum):
    """The result of an operation or of a part of one."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ProgressState(enum.StrEnum):
    """The state that a backend reports in ``Progress``."""

    RUNNING = "running"
    """Work continues in the service; poll again."""
    QUEUED = "queued"
    """The service has taken the work up, and begins it once there is room; poll again."""
    READY = "ready"
    """The work of this phase has ended: call the same hook again, with the stored receipt."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """The service, asked for this very id, does not know the work."""

    @property
    def active(self) -> bool:
        """Whether the work of this phase has not ended: it is running or queued."""
        return self in (ProgressState.RUNNING, ProgressState.QUEUED)


class Support(enum.StrEnum):
    """Whether a backend supports one verb for one type of resource."""

    SUPPORTED = "supported"
    COVERED = "covered"
    """Nothing is stored for it: it is protected along with another resource."""
    UNSUPPORTED = "unsupported"


@attrs.frozen
class Resource:
    """A resource to protect, or one that a restore made.

    Attributes:
        type: the ecosystem's string, such as ``OS::Cinder::Volume``.
        id: its id in the service that owns it; for a directory its absolute path.
        name: its name, if it has one.
    """

    type: str
    id: str
    name: str = ""


@attrs.frozen
class Place:
    """Where the work of operations goes on, if that is one host and can be seen from there alone.

    Attributes:
        id: tells this place from any other one. It stays when the host is restarted or gets another
            name.
        host: the name of the host, for people and for whoever sends work there.
    """

    id: str
    host: str


@attrs.frozen
class SharedResource:
    """What operations of a backend share, such as a repository, and how one of them uses it.

    Attributes:
        name: tells it from everything else that operations in a store share, whichever backend
            they are of; it often is, or begins with, the scope. At most 255 characters.
        exclusive: whether the operation has it to itself; otherwise beside others that share it.
    """

    name: str
    exclusive: bool = False


@attrs.frozen
class Part:
    """One member of a compound operation, such as a server of a project.

    Attributes:
        resource: the member.
        result: its result; any failed part fails the whole.
        reason: why it did not succeed; empty if it did.
        restored: the resource that a restore made, or wrote to, for this member.
    """

    resource: Resource
    result: Result
    reason: str = ""
    restored: Resource | None = None


@attrs.frozen
class Leftover:
    """Something that an operation made and that could not be removed.

    Attributes:
        kind: its kind ("freezer job", "container").
        id: its id or path in the service.
        note: why it still exists, and how to remove it.
    """

    kind: str
    id: str
    note: str = ""


@attrs.frozen
class Check:
    """Whether one property of a backup has been verified.

    Attributes:
        name: the property ("record exists", "restorable data").
        verified: whether it was verified.
        reason: why it is unverified; empty if it was verified.
    """

    name: str
    verified: bool
    reason: str = ""


@attrs.frozen
class Backup:
    """A recovery point: the product of a successful protect, or a copy of one.

    Its JSON alone is enough to restore in another process or on another machine.

    Attributes:
        id: the id of the protect or copy that made it; of a member, that and its resource's, with a
            slash between.
        resource: the protected resource.
        backend: the name of the backend's implementation, as in ``BackendInfo.name``.
        scope: the endpoint and project to which it belongs (see the hook ``scope``).
        handle: the backend's own notes, at most 64 KiB of JSON, without secrets.
        storage: the *name* of the storage that holds the data, never its configuration.
        created_at: the instant when the protect succeeded, in UTC; of a copy too, since its data is
            as old as that.
        options: the options of the protect.
        members: backups inside this one that can be restored alone.
        checks: its properties that were verified, and those that were not.
        copy_of: the id of the backup of which this is a copy; empty for the product of a protect.
    """

    id: str
    resource: Resource
    backend: str
    scope: str
    handle: LimitedJson
    storage: str
    created_at: datetime
    options: Json = attrs.field(factory=dict)
    members: tuple["Backup", ...] = ()
    checks: tuple[Check, ...] = ()
    copy_of: str = ""

    @property
    def whole_id(self) -> str:
        """The id of the whole backup: its own id, or for a member that of the backup around it."""
        return self.id.partition("/")[0]


@attrs.frozen
class Member:
    """A member of a backup, as a backend names it in ``Progress``; core makes it a ``Backup``.

    Attributes:
        resource: the member that can be restored alone.
        handle: the backend's notes on it.
    """

    resource: Resource
    handle: LimitedJson


@attrs.frozen
class Progress:
    """A backend's report on one operation.

    Attributes:
        state: see ``ProgressState``.
        receipt: the backend's own notes, which the core stores and returns in
            ``Operation.receipt``; only the verbs and ``release`` may change it. None leaves the
            stored one as it is.
        done: the amount of work that is done, in ``unit``; None if the service does not report it.
        total: the amount of work in all, in ``unit``; None if the service does not report it.
        unit: of ``done`` and ``total``: "bytes", "percent", "actions", "resources".
        reason: why it failed or was cancelled, or, while it runs or is queued, what it waits for
            and since when, in one line; the same words as long as that is the same. Empty
            otherwise. The core keeps 2,000 characters of it.
        parts: the members' results, for a compound operation.
        resources: the resources that a restore made or wrote to, the whole first.
        handle: the notes that make the backup of a protect or copy restorable; required of its
            success.
        storage: the name of the storage that holds the backup.
        members: members of the backup that can be restored alone.
        checks: the properties that were verified, and those that were not.
        leftovers: everything that could not be removed.
    """

    state: ProgressState
    receipt: LimitedJson | None = None
    done: float | None = None
    total: float | None = None
    unit: str = ""
    reason: str = ""
    parts: tuple[Part, ...] = ()
    resources: tuple[Resource, ...] = ()
    handle: LimitedJson | None = None
    storage: str = ""
    members: tuple[Member, ...] = ()
    checks: tuple[Check, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


@attrs.frozen
class Outcome:
    """The outcome of an operation. It is written once, together with the backup.

    Only leftovers may be added later.

    Attributes:
        result: succeeded, failed or cancelled.
        reason: why it did not succeed, in one line.
        resources: the resources that a restore made or wrote to, the whole first.
        parts: the members' results.
        checks: the checks of a verify, a protect or a copy.
        leftovers: everything that could not be removed.
        covered: the resource that covers this one, if nothing was stored for it.
        refused: whether the backend refused the input before anything was started.
        backup: the backup that a protect or copy made, or that a verify has brought up to date.
    """

    result: Result
    reason: str = ""
    resources: tuple[Resource, ...] = ()
    parts: tuple[Part, ...] = ()
    checks: tuple[Check, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    covered: str = ""
    refused: bool = False
    backup: Backup | None = None


@attrs.frozen
class Retry:
    """Why an operation makes no progress, and when it is tried again; empty if it makes progress.

    Attributes:
        last_error: the last transient failure, why a poll failed, or what the service waits for,
            in one line.
        failures: consecutive transient failures.
        not_before: no call before this instant.
        unknown_since: instant of the first of the latest consecutive ``unknown`` results.
        queued: it waits for others: the service has not begun its work, or the runner has not
            called the backend, as ``BackendInfo.work_limit`` are under way.
        lock_pending: it waits for its ``shared_resources``, and bars from them what was submitted
            later and cannot have them beside it.
    """

    last_error: str = ""
    failures: int = 0
    not_before: datetime | None = None
    unknown_since: datetime | None = None
    queued: bool = False
    lock_pending: bool = False


@attrs.frozen
class Amount:
    """How much of its work an operation has done, as its backend has reported last.

    Attributes:
        done: the amount of work that is done, in ``unit``; None if the service does not report it.
        total: the amount of work in all, in ``unit``; None if the service does not report it.
        unit: of ``done`` and ``total``, as in ``Progress``.
    """

    done: float | None = None
    total: float | None = None
    unit: str = ""


@attrs.frozen
class Lease:
    """The right of one process to drive an operation.

    Attributes:
        owner: the name of the process.
        until: instant until which no other process may drive it.
    """

    owner: str
    until: datetime


@attrs.frozen(kw_only=True)
class Operation:
    """One protect, copy, restore, delete, verify or maintenance, from its plan to its release.

    Attributes:
        id: created by the core before anything else; a backend finds its own work by it.
        verb: its action.
        backend: the *configured* name of its backend.
        implementation: the name of the backend's implementation, as in ``BackendInfo.name``.
        scope: the endpoint and project to which it belongs.
        resource: the resource to protect, or the one that the backup was made of. Of a maintenance
            its type is the action, and its id the scope that is maintained.
        options: the options, valid by the backend's schema.
        backup: the backup that is copied, restored, deleted or verified; None for a protect and for
            a maintenance. One that is copied belongs to another scope than the operation.
        shared_resources: what it uses together with other operations, from its first phase to its
            release; it begins when it can have all of that.
        state: see ``State``.
        phase: the number of times that work was started in the service; 0 before the first.
        attempt: how often this phase's call has been made or may have been made; 1 promises a
            backend that nothing of this phase exists yet.
        receipt: the backend's own notes; None before its first result.
        place: the host that its work is bound to, noted with the first phase, before its first
            call; None if any host can go on with it.
        awaiting: work in the service may continue although the outcome is written or the release
            has started; the core polls before the next call.
        amount: see ``Amount``.
        outcome: see ``Outcome``; None before the end.
        cancel_requested: a user or program requested its cancel.
        cancel_sent: the core has called the backend's hook ``cancel``.
        cancel_retry_at: instant from which ``cancel`` is called again, because it has failed; None
            when it has not.
        suspended: no process drives it although it is not released; ``resume`` continues it.
        created_at: instant of the plan, in UTC.
        submitted_at: instant at which the present phase, or the release's own work, was started.
        ended_at: instant of the outcome.
        deadline: instant after which it is cancelled.
        grace_until: once it has an outcome, the instant at which the runner stops waiting for the
            work in the service and the release.
        retry: see ``Retry``.
        version: counts the writes; the store writes only over the version that was read.
        lease: of the process that drives it; None if none does.
        fence: the number of takeovers. A service that has received a call with a higher number
            refuses one with a lower number: it comes late from a process that lost the operation.
    """

    id: str
    verb: Verb
    backend: str
    implementation: str
    scope: str
    resource: Resource
    options: Json = attrs.field(factory=dict)
    backup: Backup | None = None
    shared_resources: tuple[SharedResource, ...] = ()
    state: State = State.PLANNED
    phase: int = 0
    attempt: int = 0
    receipt: LimitedJson | None = None
    place: Place | None = None
    awaiting: bool = False
    amount: Amount = attrs.field(factory=Amount)
    outcome: Outcome | None = None
    cancel_requested: bool = False
    cancel_sent: bool = False
    cancel_retry_at: datetime | None = None
    suspended: bool = False
    created_at: datetime
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    deadline: datetime
    grace_until: datetime | None = None
    retry: Retry = attrs.field(factory=Retry)
    version: int = 0
    lease: Lease | None = None
    fence: int = 0

    @property
    def backup_id(self) -> str:
        """The id of the whole backup that it makes, reads or removes, in whole or in part.

        Of a copy it is that of the backup that is read; what it makes has the operation's own id. A
        maintenance has no backup: this is its own id then.
        """
        return self.id if self.backup is None else self.backup.whole_id

    @property
    def makes_backup(self) -> bool:
        """Whether its success is a new backup, whose id is the operation's."""
        return self.verb in (Verb.PROTECT, Verb.COPY)

    @property
    def action(self) -> str:
        """What a maintenance does, such as "prune"; empty for any other operation."""
        return self.resource.type if self.verb is Verb.MAINTAIN else ""

    @property
    def owner(self) -> str:
        """The name of the process that drives it; empty if none does."""
        return "" if self.lease is None else self.lease.owner

    @property
    def queued(self) -> bool:
        """Whether it waits until there is room for its work; see ``Retry.queued``."""
        return self.retry.queued

    @property
    def finished(self) -> bool:
        """Whether it stays as it is unless somebody resumes it."""
        return self.state is State.RELEASED or self.suspended

    @property
    def result(self) -> Result | None:
        """Its result once it is released; None before, and while it is suspended."""
        if self.outcome is None or self.state is not State.RELEASED:
            return None
        return self.outcome.result

    @property
    def succeeded(self) -> bool:
        """Whether it succeeded and is released; also where another resource covers its type."""
        return self.result is Result.SUCCEEDED

    @property
    def work_succeeded(self) -> bool:
        """Whether its work succeeded; its release may not have ended, or be suspended."""
        return self.outcome is not None and self.outcome.result is Result.SUCCEEDED

    @property
    def leftovers(self) -> tuple[Leftover, ...]:
        """Everything that it made and that could not be removed; empty before its outcome."""
        return () if self.outcome is None else self.outcome.leftovers

    def raise_for_outcome(self) -> "Operation":
        """Return the operation itself if it succeeded and is released.

        Raises:
            OperationRefused: the backend refused it; nothing was started.
            OperationFailed: it ended in any other way, is suspended or has not ended yet.
        """
        if self.succeeded:
            return self
        refused = self.outcome is not None and self.outcome.refused
        raise (OperationRefused if refused else OperationFailed)(self)


@attrs.frozen
class Ability:
    """A backend's support for one verb and one type of resource.

    Attributes:
        support: supported, covered or unsupported.
        schema: JSON Schema of the options (draft 2020-12); options that it does not name are
            refused.
        covered_by: what covers it, if covered ("the server that uses it").
        reason: why it is unsupported, if it is.
    """

    support: Support
    schema: Json = attrs.field(factory=dict)
    covered_by: str = ""
    reason: str = ""


@attrs.frozen
class BackendInfo:
    """A backend's description of itself, created without a request to the service.

    Attributes:
        name: the implementation's name, stored in every backup.
        version: the implementation's version.
        contract: the contract version that it was written for, "MAJOR.MINOR".
        abilities: per type of resource, per verb. A verb or type that is not named is
            unsupported.
        maintenance: per action, such as "prune", that works on what all backups share.
        work_limit: how many operations the service works on at once; None if it is not known, or
            there is no limit. A runner begins no more. What others begin beyond it is ``queued``.
    """

    name: str
    version: str
    contract: str
    abilities: Mapping[str, Mapping[Verb, Ability]]
    maintenance: Mapping[str, Ability] = attrs.field(factory=dict)
    work_limit: int | None = None


@attrs.frozen
class Health:
    """The health of a backend's service.

    Attributes:
        ok: whether operations can be expected to work now.
        summary: one line for a user.
        details: further facts: versions, schedulers, storages.
    """

    ok: bool
    summary: str
    details: Json = attrs.field(factory=dict)
