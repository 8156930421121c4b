"""What an author provides to have a backend tested: the bench that it is put on."""

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

import attrs

from karbor_backup_core.clock import ManualClock
from karbor_backup_core.model import Json, Operation, Resource, Verb


class Resources(Protocol):
    """Resources that the rules protect, change and lose; they are made for it and belong to it."""

    def make(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a new resource of that type with that name and content."""

    def read(self, resource: Resource) -> bytes:
        """Answer the content of a resource, also of one that a restore made."""

    def write(self, resource: Resource, content: bytes) -> None:
        """Replace the content of a resource."""

    def remove(self, resource: Resource) -> None:
        """Lose a resource, also one that a restore made; one that is gone stays gone."""


def _ids(ids: Iterable[str]) -> frozenset[str]:
    return frozenset(ids)


@attrs.frozen
class Holdings:
    """Everything that operations have left in the service, by ids that never come twice.

    Attributes:
        bookkeeping: what the service notes about work: jobs, tasks, sessions, locks.
        data: what the work made: backups with their records, and resources, those of the bench
            included.
    """

    bookkeeping: frozenset[str] = attrs.field(default=(), converter=_ids)
    data: frozenset[str] = attrs.field(default=(), converter=_ids)


class Fault(enum.StrEnum):
    """What a bench can make the service do; each one happens once, at the first occasion.

    The levers are optional. A bench that lacks one has the rules that need it skipped, and the
    report says so.
    """

    BUSY = "the next request is refused for now"
    REFUSE = "the next request is refused for good"
    LOSE_REPLY = "the next request that begins work takes effect, and its reply is lost"
    FAIL = "the next work that is begun fails at its end"
    STUCK = "the next work that is begun fails, and what it made cannot be removed"
    STALL = "the next work that is begun ends only when it is cancelled"
    DEAF = "the next work that is begun goes on to its end although it is cancelled"
    STUBBORN = "the next work that is begun cannot be stopped, and takes long"
    FORGET = "the service forgets at once the work that goes on, half done"


def _no_options(_verb: Verb, _resource: Resource) -> Json:
    return {}


@attrs.frozen(kw_only=True)
class Bench:
    """A backend with a service that the rules may use up; each rule gets a bench of its own.

    The first three are all that a bench must have, and ``holdings`` is needed to be conformant.

    Attributes:
        backend: makes a new backend object on the same service, as another process would.
        resources: makes and reads what is protected.
        kinds: the types that ``resources`` can make; together all that the backend supports.
        holdings: lists everything in the service.
        clock: what the service runs on, if it can be turned; otherwise the rules wait for real.
        options: options beside those that the required properties of the schema ask for.
        find: finds the resource that a restore made, where the service does not name it.
        faults: makes one happen.
        unfired: answers the faults asked for that have not happened; looked at after each rule.
        elsewhere: makes a backend object that looks at another endpoint or project.
        secrets: the values of the secrets in the configuration; long and made for this.
        compound: the types whose backups have members that can be restored alone.
        phased: the verbs that take several phases, with ``kinds`` or some of them.
        fenced: whether the service tells a late call of an operation that left nothing, by
            ``Operation.fence`` or by an id that it never takes twice.
        pause: seconds between two polls when the rules wait for real.
        patience: seconds of waiting for real after which an operation counts as stuck.
        expected_failures: ids of rules that are known to be broken, with the reason. Such a
            rule must fail: one that passes has to be taken off.
    """

    backend: Callable[[], Any]
    resources: Resources
    kinds: Collection[str]
    holdings: Callable[[], Holdings] | None = None
    clock: ManualClock | None = None
    options: Callable[[Verb, Resource], Json] = _no_options
    find: Callable[[Operation], Resource] | None = None
    faults: Mapping[Fault, Callable[[], object]] = attrs.field(factory=dict)
    unfired: Callable[[], Collection[object]] | None = None
    elsewhere: Callable[[], Any] | None = None
    secrets: Collection[str] = ()
    compound: Collection[str] = ()
    phased: Collection[Verb] = ()
    fenced: bool = False
    pause: float = 0.05
    patience: float = 60.0
    expected_failures: Mapping[str, str] = attrs.field(factory=dict)
