"""What an author provides to have a backend tested: the harness that it is put on."""

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

import attrs

from karbor_backup_core import Backup, Json, ManualClock, Operation, Resource, Verb


class Resources(Protocol):
    """Resources that the rules protect, change and lose; they are made for it and belong to it."""

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a new resource of that type with that name and content."""

    def read(self, resource: Resource) -> bytes:
        """Return the content of a resource, also of one that a restore made."""

    def write(self, resource: Resource, content: bytes) -> None:
        """Replace the content of a resource."""

    def delete(self, resource: Resource) -> None:
        """Lose a resource, also one that a restore made; one that is gone stays gone."""


def _to_ids(ids: Iterable[str]) -> frozenset[str]:
    return frozenset(ids)


@attrs.frozen
class Inventory:
    """Everything that operations have left in the service, by ids that never come twice.

    Attributes:
        bookkeeping: what the service notes about work: jobs, tasks, sessions, locks.
        data: what the work made: backups with their records, and resources, those of the harness
            included.
    """

    bookkeeping: frozenset[str] = attrs.field(default=(), converter=_to_ids)
    data: frozenset[str] = attrs.field(default=(), converter=_to_ids)


class Fault(enum.StrEnum):
    """What a harness can make the service do; each one happens once, at the first occasion.

    Each is optional. A harness without it has the rules that need it skipped, and the report says
    so.
    """

    BUSY = "the next request is refused for now"
    REFUSE = "the next request is refused for good"
    LOSE_REPLY = "the next request that begins work takes effect, and its reply is lost"
    FAIL = "the next work that is begun fails at its end"
    FAIL_CLEANUP = "the next work that is begun fails, and what it made cannot be removed"
    STALL = "the next work that is begun ends only when it is cancelled"
    IGNORES_CANCEL = "the next work that is begun goes on to its end although it is cancelled"
    UNCANCELLABLE = "the next work that is begun cannot be stopped, and takes long"
    LOSE_WORK = "the service forgets at once the work that goes on, half done"


WithdrawFault = Callable[[], bool]
"""Takes back a fault that was asked for, and says whether it has happened."""


@attrs.frozen
class BackendFactory:
    """How another Python process makes the backend on the same service.

    Attributes:
        function: a function or class that is imported there, as ``module:name``.
        arguments: what it is called with, by name; JSON values.
    """

    function: str
    arguments: Json = attrs.field(factory=dict)


def _no_options(_verb: Verb, _resource: Resource) -> Json:
    return {}


@attrs.frozen(kw_only=True)
class Harness:
    """A backend with a service that the rules may use up; each rule gets a harness of its own.

    The first three are all that a harness must have, and ``inventory`` is needed to be conformant.

    Attributes:
        create_backend: makes a new backend object on the same service, as another process would.
        backend_factory: how another Python process makes the backend; for a service that is not
            in the memory of the tests.
        service_modules: names of modules, or packages, of the backend's own package that stand for
            the service: they do not die with a process.
        resources: makes and reads what is protected.
        resource_types: the types that ``resources`` can make; together all that the backend
            supports.
        inventory: lists everything in the service.
        clock: what the service runs on, if it can be turned; otherwise the rules wait for real.
        options: options beside those that the required properties of the schema ask for.
        find_restored: finds the resource that a restore made, where the service does not name it.
        faults: makes one happen.
        request_faults: `BUSY`, `REFUSE` and `LOSE_REPLY` at a certain request, whichever it asks
            for: makes one happen at the n-th request from now, 1 for the next, and returns what
            takes it back, which says whether it has happened.
        pending_faults: returns the faults asked for that have not happened; read after each rule.
        create_backend_in_other_scope: creates a backend that uses another endpoint or project.
        dependent_options: options with which a protect makes a backup that cannot be restored
            without the latest one of its resource.
        exclusive_maintenance: the declared actions of maintenance that have what they work on to
            themselves, as the hook ``shared_resources`` tells.
        create_copy_source: creates a backend of the same kind whose backups lie in another place,
            from which those of ``create_backend`` can copy them; ``inventory`` lists both places.
        lose_copy_source: loses all that lies in that place, until the end of the rule.
        create_backend_in_other_place: creates a backend on the same service, as it would be on
            another host; for work that is bound to a host.
        create_backend_with_renewed_credentials: makes the service take other credentials only,
            and creates a backend that has them.
        secrets: the values of the secrets in the configuration; long and made for this.
        compound_types: the types whose backups have members that can be restored alone.
        multi_phase_verbs: the verbs that take several phases, with ``resource_types`` or some of
            them.
        rejects_late_calls: whether the service tells a late call of an operation that left
            nothing, by ``Operation.fence`` or by an id that it never takes twice.
        reuse_ids: makes the service give new things the ids of those that are gone, from now on.
        damage: spoils the stored data of a backup, so that it cannot be restored whole.
        exhaustive: whether a rule that tries one point of a hook after another, such as a request
            that is refused, tries each of them; otherwise it tries a sample.
        poll_interval: seconds between two polls when the rules wait for real.
        settle_time: seconds until the service's lists show what was done, when the rules wait for
            real. A service with a `clock` is given ten seconds of that.
        timeout: seconds of waiting for real after which an operation counts as stuck.
        rule_timeout: seconds after which a rule that is not over is stopped and fails; a bound
            that only a hang reaches. None for 120 with a `clock`, and ten times `timeout` without.
        expected_failures: ids of rules that are known to be broken, with the reason. Such a
            rule must fail: one that passes has to be taken off.
    """

    create_backend: Callable[[], Any]
    resources: Resources
    resource_types: Collection[str]
    backend_factory: BackendFactory | None = None
    service_modules: Collection[str] = ()
    inventory: Callable[[], Inventory] | None = None
    clock: ManualClock | None = None
    options: Callable[[Verb, Resource], Json] = _no_options
    find_restored: Callable[[Operation], Resource] | None = None
    faults: Mapping[Fault, Callable[[], object]] = attrs.field(factory=dict)
    request_faults: Mapping[Fault, Callable[[int], WithdrawFault]] = attrs.field(factory=dict)
    pending_faults: Callable[[], Collection[object]] | None = None
    create_backend_in_other_scope: Callable[[], Any] | None = None
    dependent_options: Json = attrs.field(factory=dict)
    exclusive_maintenance: Collection[str] = ()
    create_copy_source: Callable[[], Any] | None = None
    lose_copy_source: Callable[[], object] | None = None
    create_backend_in_other_place: Callable[[], Any] | None = None
    create_backend_with_renewed_credentials: Callable[[], Any] | None = None
    secrets: Collection[str] = ()
    compound_types: Collection[str] = ()
    multi_phase_verbs: Collection[Verb] = ()
    rejects_late_calls: bool = False
    reuse_ids: Callable[[], object] | None = None
    damage: Callable[[Backup], object] | None = None
    exhaustive: bool = False
    poll_interval: float = 0.05
    settle_time: float = 0.0
    timeout: float = 60.0
    rule_timeout: float | None = None
    expected_failures: Mapping[str, str] = attrs.field(factory=dict)
