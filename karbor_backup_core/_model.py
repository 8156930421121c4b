"""The nouns: resources, backups, operations, and what a backend says of them.

Everything here is frozen and made of JSON values, so that it can be stored, sent to another
process and compared. ``karbor_backup_core.documents`` turns it into JSON and back.
"""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

import attrs

Json: TypeAlias = Mapping[str, Any]
"""A JSON object: strings, numbers, booleans, None, lists and objects of them."""

RECEIPT_LIMIT: Final = 64 * 1024
"""The largest receipt or handle that the core stores, in bytes of JSON."""


class Verb(enum.StrEnum):
    """What an operation does to its resource."""

    PROTECT = "protect"
    RESTORE = "restore"
    DELETE = "delete"
    VERIFY = "verify"


class State(enum.StrEnum):
    """Where an operation is in its life (see ``docs/explanation/architecture.md``)."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    RUNNING = "running"
    ENDED = "ended"
    RELEASING = "releasing"
    RELEASED = "released"


class Result(enum.StrEnum):
    """How an operation, or a part of one, ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ProgressState(enum.StrEnum):
    """What a backend says of an operation in ``Progress``."""

    RUNNING = "running"
    """Work goes on outside; poll again."""
    READY = "ready"
    """This phase's work outside has ended: call the same hook again, with the stored receipt."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """The service, asked for this very id, knows nothing of it."""


class Support(enum.StrEnum):
    """What a backend does with one verb for one type of resource."""

    SUPPORTED = "supported"
    COVERED = "covered"
    """Nothing of its own is stored: it is protected along with something else."""
    UNSUPPORTED = "unsupported"


@attrs.frozen
class Resource:
    """One thing to protect, or one that a restore made.

    Attributes:
        type: the ecosystem's string, such as ``OS::Cinder::Volume``.
        id: its id in the service that owns it; for a directory its absolute path.
        name: its name, where it has one.
    """

    type: str
    id: str
    name: str = ""


@attrs.frozen
class Part:
    """One member of a compound operation, such as a server of a project.

    Attributes:
        resource: the member.
        result: how it ended; any failed part fails the whole.
        reason: why, when it did not succeed.
        restored: the resource that a restore made or filled of this member.
    """

    resource: Resource
    result: Result
    reason: str = ""
    restored: Resource | None = None


@attrs.frozen
class Leftover:
    """Something of an operation that could not be removed, named so that a person can.

    Attributes:
        kind: what it is ("freezer job", "container").
        id: its id or path in the service.
        note: why it is still there and how to remove it.
    """

    kind: str
    id: str
    note: str = ""


@attrs.frozen
class Check:
    """Whether one property of a backup has been verified.

    Attributes:
        name: the property ("record exists", "restorable data").
        verified: whether it was seen to hold.
        reason: why it is unverified; empty when verified.
    """

    name: str
    verified: bool
    reason: str = ""


@attrs.frozen
class Backup:
    """What a protect leaves behind: a recovery point.

    Its JSON alone is enough to restore in another process or on another machine.

    Attributes:
        id: the id of the protect operation that made it; of a member, that and its resource's,
            with a slash between.
        resource: what was protected.
        backend: the name of the backend's implementation, as in ``BackendInfo.name``.
        scope: the endpoint and project it lives in (see the hook ``scope``).
        handle: the backend's own notes, at most 64 KiB of JSON, without secrets.
        storage: the *name* of the storage that holds the data, never its configuration.
        created_at: the instant when the protect succeeded, in UTC.
        options: the options of the protect.
        members: backups inside this one that can be restored alone.
        checks: what is known to hold of it, and what has not been verified.
    """

    id: str
    resource: Resource
    backend: str
    scope: str
    handle: Json
    storage: str
    created_at: datetime
    options: Json = attrs.field(factory=dict)
    members: tuple["Backup", ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def whole_id(self) -> str:
        """The id of the backup that it is a member of, or its own when it is a whole."""
        return self.id.partition("/")[0]


@attrs.frozen
class Member:
    """A member of a backup, as a backend names it in ``Progress``; core makes it a ``Backup``.

    Attributes:
        resource: the member that can be restored alone.
        handle: the backend's notes on it.
    """

    resource: Resource
    handle: Json


@attrs.frozen
class Progress:
    """A backend's answer about one operation.

    Attributes:
        state: see ``ProgressState``.
        receipt: the backend's own notes, kept by core and handed back in ``Operation.receipt``;
            only the verbs and ``release`` may change it. None leaves the stored one as it is.
        done: how much is done, in ``unit``; None where the service does not say.
        total: how much there is to do, in ``unit``; None where the service does not say.
        unit: of ``done`` and ``total``: "bytes", "percent", "actions", "resources".
        reason: why it failed or was cancelled, or, while it runs, what it waits for and since when,
            in one line; the same words as long as that is the same. Empty otherwise.
        parts: the members' results, for a compound operation.
        resources: the resources that a restore made or filled, the whole first.
        handle: the notes that make a protect's backup restorable; required of its success.
        storage: the name of the storage that holds the backup.
        members: members of the backup that can be restored alone.
        checks: what was and what was not verified.
        leftovers: what could not be removed.
    """

    state: ProgressState
    receipt: Json | None = None
    done: float | None = None
    total: float | None = None
    unit: str = ""
    reason: str = ""
    parts: tuple[Part, ...] = ()
    resources: tuple[Resource, ...] = ()
    handle: Json | None = None
    storage: str = ""
    members: tuple[Member, ...] = ()
    checks: tuple[Check, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


@attrs.frozen
class Outcome:
    """How an operation ended. Written once, together with its backup; only leftovers may follow.

    Attributes:
        result: succeeded, failed or cancelled.
        reason: why it did not succeed, in one line.
        resources: what a restore made or filled, the whole first.
        parts: the members' results.
        checks: what a verify (or a protect) found.
        leftovers: what is still there and should not be.
        covered: by what the resource is covered, when nothing of its own was done.
        refused: whether the backend refused what was asked for, before anything was begun.
        backup: what a protect left, or what a verify now knows of the backup.
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


@attrs.frozen(kw_only=True)
class Operation:
    """One protect, restore, delete or verify, from its plan to its release.

    Attributes:
        id: made by core before anything else; the key by which a backend finds its own work.
        verb: what it does.
        backend: the *configured* name of the backend that does it.
        implementation: the name of the backend's implementation, as in ``BackendInfo.name``.
        scope: the endpoint and project it belongs to.
        resource: what is protected, or what the backup was made of.
        options: the options, valid by the backend's schema.
        backup: the backup that is restored, deleted or verified; None for a protect.
        state: where it is in its life.
        phase: how many times work was begun outside; 0 before the first.
        attempt: how often this phase's call has been made or may have been made; 1 promises a
            backend that nothing of this phase exists yet.
        receipt: the backend's own notes, None before the first answer.
        awaiting: work outside may go on although the outcome is written or the release begun, and
            is to be polled for before the next call.
        done: last progress seen, in ``unit``.
        total: as ``done``.
        unit: of ``done`` and ``total``.
        outcome: how it ended, None before that.
        cancel_requested: somebody asked for it to be cancelled.
        cancel_sent: the backend has been told to cancel.
        parked: the runner has let go of it although it is not released; ``resume`` goes on.
        created_at: instant of the plan, in UTC.
        submitted_at: instant at which the present phase, or the release's own work, was begun.
        ended_at: instant of the outcome.
        deadline: instant after which it is cancelled.
        grace_until: once it has an outcome, the instant at which the runner stops waiting for the
            work outside and the release.
        not_before: no call before this instant.
        failures: consecutive transient failures.
        last_error: why it does not get on, in one line: the last transient failure, why it could
            not be polled for, or what the service waits for. Empty when it gets on.
        unknown_since: instant of the first of the unknown answers that came last.
        version: counts the writes; the store writes only over the version that was read.
        owner: the process that drives it, empty for none.
        lease_until: instant until which nobody else may drive it.
        fence: how often it has been taken; a service that has seen a call with a higher number
            refuses one with a lower, which comes late from a process that lost the operation.
    """

    id: str
    verb: Verb
    backend: str
    implementation: str
    scope: str
    resource: Resource
    options: Json = attrs.field(factory=dict)
    backup: Backup | None = None
    state: State = State.PLANNED
    phase: int = 0
    attempt: int = 0
    receipt: Json | None = None
    awaiting: bool = False
    done: float | None = None
    total: float | None = None
    unit: str = ""
    outcome: Outcome | None = None
    cancel_requested: bool = False
    cancel_sent: bool = False
    parked: bool = False
    created_at: datetime
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    deadline: datetime
    grace_until: datetime | None = None
    not_before: datetime | None = None
    failures: int = 0
    last_error: str = ""
    unknown_since: datetime | None = None
    version: int = 0
    owner: str = ""
    lease_until: datetime | None = None
    fence: int = 0

    @property
    def backup_id(self) -> str:
        """The id of the whole backup that it makes, reads or removes, or a member of which."""
        return self.id if self.backup is None else self.backup.whole_id

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it without a ``resume``."""
        return self.state is State.RELEASED or self.parked


@attrs.frozen
class Ability:
    """What a backend does with one verb for one type of resource.

    Attributes:
        support: supported, covered or unsupported.
        schema: JSON Schema of the options (draft 2020-12); options that it does not name are
            refused.
        covered_by: by what, when covered ("the server that uses it").
        reason: why, when unsupported.
    """

    support: Support
    schema: Json = attrs.field(factory=dict)
    covered_by: str = ""
    reason: str = ""


@attrs.frozen
class BackendInfo:
    """A backend's description of itself; it is made without a call to the service.

    Attributes:
        name: the implementation's name, stored in every backup.
        version: the implementation's version.
        contract: the contract version that it was written for, "MAJOR.MINOR".
        abilities: per type of resource, per verb. A verb or type that is not named is
            unsupported.
    """

    name: str
    version: str
    contract: str
    abilities: Mapping[str, Mapping[Verb, Ability]]


@attrs.frozen
class Health:
    """What a look at the service showed.

    Attributes:
        ok: whether operations can be expected to work now.
        summary: one line for a person.
        details: further facts: versions, schedulers, storages.
    """

    ok: bool
    summary: str
    details: Json = attrs.field(factory=dict)
