"""One rule's run on one harness: operations are planned, driven, disturbed and looked at."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

from karbor_backup_contract._assertions import (
    describe_operation,
    require,
    require_backup,
    require_running,
    require_success,
)
from karbor_backup_contract._process import BACKEND_NAME, Process
from karbor_backup_contract._queued_times import QueuedTimes
from karbor_backup_contract._sample_options import valid_options
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Fault, Harness, Inventory
from karbor_backup_core import (
    CONTRACT_VERSION,
    Backup,
    Call,
    Clock,
    Lifecycle,
    ManualClock,
    MemoryStore,
    Operation,
    Policy,
    Resource,
    State,
    Support,
    Verb,
    next_call,
    plan_copy,
    plan_delete,
    plan_maintenance,
    plan_protect,
    plan_restore,
    plan_verify,
    system_clock,
)

BeforeCall = Callable[[Operation], Operation]
"""Called before each call of a driven operation; answers the operation to go on with."""

_SUPPORTED: Final = Support.SUPPORTED
DEADLINE: Final = timedelta(hours=1)
_PLANNERS: Final[Mapping[Verb, Callable[..., Operation]]] = {
    Verb.PROTECT: plan_protect,
    Verb.RESTORE: plan_restore,
    Verb.DELETE: plan_delete,
    Verb.VERIFY: plan_verify,
    Verb.MAINTAIN: plan_maintenance,
    Verb.COPY: plan_copy,
}
CALLS_LIMIT: Final = 400
_SETTLE_TIME: Final = timedelta(seconds=10)
"""How long a service whose clock can be turned is given until its lists show what was done."""
_LEASE: Final = timedelta(days=30)
"""No rule is about it: a process of the rules is gone only when a rule says so."""

_MANUAL_CLOCK_POLICY: Final = Policy(
    poll_first=timedelta(seconds=1),
    unknown_gap=timedelta(seconds=2),
    grace=timedelta(minutes=1),
    release=timedelta(minutes=10),
    lease=_LEASE,
)
_REAL_CLOCK_POLICY: Final = Policy(
    poll_first=timedelta(milliseconds=50),
    unknown_gap=timedelta(milliseconds=200),
    retry_first=timedelta(milliseconds=50),
    retry_limit=timedelta(seconds=1),
    grace=timedelta(seconds=2),
    lease=_LEASE,
)


class RuleContext:
    """What the rules work with.

    Attributes:
        harness: the harness, for this rule alone.
        store: remembers the operations.
        clock: the harness's, or the machine's.
        contents: the content of each resource that was made, by its id.
        queued_seconds: for how long it was waited for real while work was queued.
        is_lost: whether all backups of this place have been lost.
    """

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.store = MemoryStore()
        self.clock: Clock = harness.clock or system_clock
        self._lifecycle = Lifecycle(_MANUAL_CLOCK_POLICY if harness.clock else _REAL_CLOCK_POLICY)
        self._numbers = itertools.count(1)
        self.contents: dict[str, bytes] = {}
        self.queued_seconds = 0.0
        self._queued_times = QueuedTimes(self.store, timedelta(seconds=self._patience()))
        self._created: list[Resource] = []
        self._process: Process | None = None
        self._source: RuleContext | None = None
        self.is_lost = False

    @property
    def source(self) -> "RuleContext":
        """The same with the backend of another place, from which backups can be copied.

        Raises:
            RuleViolation: the harness makes no such backend.
        """
        if self._source is None:
            if self.harness.create_copy_source is None:
                raise RuleViolation("the harness has no create_copy_source")
            elsewhere = attrs.evolve(
                self.harness,
                create_backend=self.harness.create_copy_source,
                create_copy_source=None,
            )
            self._source = RuleContext(elsewhere)
            self._source.contents = self.contents
        return self._source

    @property
    def used_source(self) -> "RuleContext | None":
        """The same as ``source``; None where no rule has asked for that."""
        return self._source

    def lose_source(self) -> None:
        """Lose all that lies in the place of ``source``, so that nothing there is to be removed."""
        if self.harness.lose_copy_source is not None:
            self.harness.lose_copy_source()
        self.source.is_lost = True

    @property
    def process(self) -> Process:
        """The present process; ``restart`` makes another one.

        Raises:
            Exception: the core does not take the backend, or it cannot be made.
        """
        if self._process is None:
            self._process = self.start_process()
        return self._process

    @property
    def identity(self) -> tuple[str, str, str]:
        """The backend's name, its version, and the contract version that it declares.

        One that the core does not take has a name all the same: that of its class.
        """
        try:
            info = self.process.backend.info
        except Exception:  # noqa: BLE001 - whatever a backend raises; a rule tells it
            return type(self.harness.create_backend()).__name__, "unknown", CONTRACT_VERSION
        return info.name, info.version, info.contract

    def start_process(self, plugin: Any = None, extensions: Sequence[Any] = ()) -> Process:
        """Start another process, with a backend object of its own if none is given."""
        plugin = plugin or self.harness.create_backend()
        return Process.start(plugin, self.store, self._lifecycle, self.clock, extensions)

    def supports(self, kind: str, verb: Verb) -> bool:
        """Return whether the backend supports a verb for a type."""
        return self.process.backend.ability(kind, verb).support is Support.SUPPORTED

    @property
    def deletes(self) -> bool:
        """Whether the backend deletes backups of any type."""
        return any(self.supports(kind, Verb.DELETE) for kind in self.harness.resource_types)

    def supported_verbs(self, kind: str) -> list[Verb]:
        """Return the verbs that the backend supports for a type, the delete last.

        A copy is among them where the harness has something to copy.
        """
        order = (Verb.PROTECT, Verb.COPY, Verb.VERIFY, Verb.RESTORE, Verb.DELETE)
        copies = self.harness.create_copy_source is not None
        return [
            verb
            for verb in order
            if self.supports(kind, verb) and (copies or verb is not Verb.COPY)
        ]

    def copies(self, kind: str) -> bool:
        """Return whether the backend copies backups of a type, and the harness has some."""
        return Verb.COPY in self.supported_verbs(kind)

    def targets_of(self, backup: Backup) -> list[tuple[Verb, Resource | Backup]]:
        """Return each verb of a backup's type with what it works on; each maintenance follows."""
        kind = backup.resource.type
        targets: list[tuple[Verb, Resource | Backup]] = [
            (verb, self.target_of(verb, backup)) for verb in self.supported_verbs(kind)
        ]
        return [*targets, *((Verb.MAINTAIN, each) for each in self.maintained())]

    def maintained(self) -> list[Resource]:
        """Return what each maintenance that the backend declares works on, its action as type."""
        backend = self.process.backend
        actions = [a for a, each in backend.info.maintenance.items() if each.support is _SUPPORTED]
        return [Resource(action, backend.scope()) for action in actions]

    def types_supporting(self, *verbs: Verb) -> list[str]:
        """Return the types for which the backend supports all these verbs, in the harness's order.

        Of a backend that deletes nothing no delete is asked: one rule tells that.

        Raises:
            RuleViolation: there is none, so that the rule would be kept by doing nothing.
        """
        needed = [verb for verb in verbs if verb is not Verb.DELETE or self.deletes]
        found = [
            kind
            for kind in self.harness.resource_types
            if all(self.supports(kind, verb) for verb in needed)
        ]
        require(found, f"no type of the harness's supports {', '.join(verbs)}: nothing to test")
        return found

    def type_supporting(self, *verbs: Verb) -> str:
        """Return the first of ``types_supporting``."""
        return self.types_supporting(*verbs)[0]

    def compound_types_supporting(self, *verbs: Verb) -> list[str]:
        """Return the types with members for which the backend supports all these verbs."""
        compound = set(self.harness.compound_types)
        return [
            kind
            for kind in self.harness.resource_types
            if kind in compound and all(self.supports(kind, verb) for verb in verbs)
        ]

    def create_resource(self, kind: str, name: str = "contract") -> Resource:
        """Make a resource with content of its own."""
        content = b"content %d\x00\xff of a resource\n" % next(self._numbers)
        resource = self.harness.resources.create(kind, name, content)
        self.contents[resource.id] = content
        self._created.append(resource)
        return resource

    def overwrite(self, resource: Resource) -> None:
        """Give a resource other content."""
        self.write(resource, b"other content %d\n" % next(self._numbers))

    def write(self, resource: Resource, content: bytes) -> None:
        """Give a resource a certain content."""
        self.harness.resources.write(resource, content)
        self.contents[resource.id] = content

    def options_for(self, verb: Verb, resource: Resource) -> Mapping[str, Any]:
        """Return options that fit a verb for a resource."""
        schema = self.process.backend.ability(resource.type, verb).schema
        given = self.harness.options(verb, resource)
        asked = {name for name in schema.get("required", ()) if name not in given}
        return {**valid_options({**schema, "required": sorted(asked)}), **given}

    def plan(
        self,
        verb: Verb,
        target: Resource | Backup,
        options: Mapping[str, Any] | None = None,
        deadline: timedelta | None = None,
        identifier: str = "",
    ) -> Operation:
        """Plan an operation and store it; nothing is begun.

        Args:
            verb: what it does.
            target: what it works on.
            options: its options; None for those that fit.
            deadline: how long it may take; None for as long as is fit.
            identifier: its id; empty for one that the core makes.

        Raises:
            InvalidInput: it is refused.
        """
        resource = target.resource if isinstance(target, Backup) else target
        waiting = DEADLINE if self.harness.clock else timedelta(seconds=self.harness.timeout)
        planned = _PLANNERS[verb](
            self.process.backend,
            resource.type if verb is Verb.MAINTAIN else target,
            self.options_for(verb, resource) if options is None else options,
            now=self.clock(),
            deadline=deadline or waiting,
        )
        if identifier:
            planned = attrs.evolve(planned, id=identifier)
        return self.process.driver.add(planned)

    def record_submission(self, verb: Verb, target: Resource | Backup) -> Operation:
        """Plan an operation up to the durable write before its first call."""
        return self.process.driver.step(self.plan(verb, target))

    def start(self, verb: Verb, target: Resource | Backup) -> Operation:
        """Plan an operation and make its calls until its work goes on outside, or it is over."""
        return self.start_planned(self.plan(verb, target))

    def start_planned(self, operation: Operation) -> Operation:
        """Make a planned operation's calls until its work goes on outside, or it is over."""
        for _ in range(CALLS_LIMIT):
            if operation.state not in (State.PLANNED, State.SUBMITTING):
                break
            operation = self.process.driver.step(operation)
        return operation

    def start_running(self, verb: Verb, target: Resource | Backup) -> Operation:
        """Plan an operation and begin its work, which is to go on outside.

        Raises:
            RuleViolation: it is over already, or does not begin.
        """
        return require_running(self.start(verb, target))

    def advance_phase(self, operation: Operation) -> Operation:
        """Go on to an operation's next phase, where the answer that it is ready was not stored.

        Raises:
            RuleViolation: it does not get there.
        """
        repeated = self.restart(operation)
        for _ in range(self.calls_limit):
            if repeated.phase > operation.phase:
                return repeated
            repeated = self.advance(repeated)
        raise RuleViolation(f"{describe_operation(repeated)}, and its next phase does not begin")

    def finish(self, operation: Operation, between: BeforeCall | None = None) -> Operation:
        """Drive an operation until it is released or suspended.

        Raises:
            RuleViolation: it is neither after many calls.
        """
        turns = self.calls_limit
        while turns:
            if operation.finished:
                return operation
            operation = self.advance(operation if between is None else between(operation))
            turns -= not self._queued_times.is_excused(operation)
        raise RuleViolation(f"{describe_operation(operation)}, and does not come to an end")

    def advance(self, operation: Operation) -> Operation:
        """Make the one call that comes next, and wait as long as is fit."""
        operation = self._queued_times.extend_deadline(operation, self.clock())
        match next_call(operation, self.clock()):
            case Call.NOTHING:
                return operation
            case Call.WAIT:
                self.wait((operation.retry.not_before or self.clock()) - self.clock())
                return operation
            case Call.POLL:
                return self.poll([operation])[0]
            case Call.RELEASE:
                released = self.process.driver.step(operation)
                if not released.finished:
                    self.wait()  # The service is at it; it needs its time.
                return released
            case _:
                return self.process.driver.step(operation)

    def poll(self, operations: list[Operation]) -> list[Operation]:
        """Poll for all these operations at once; wait before the next one if any still runs."""
        now = self.clock()
        extended = [self._queued_times.extend_deadline(each, now) for each in operations]
        polled = self.process.driver.poll(BACKEND_NAME, extended)
        for error in polled.lost.values():
            raise error
        if any(next_call(each, self.clock()) is Call.POLL for each in polled.operations):
            began = time.monotonic()
            self.wait()
            if any(self._queued_times.is_excused(each) for each in polled.operations):
                self.queued_seconds += time.monotonic() - began
        return list(polled.operations)

    def wait(self, duration: timedelta | None = None) -> None:
        """Let time go by: the clock's, if it can be turned."""
        if isinstance(self.clock, ManualClock):
            self.clock.advance(1 if duration is None else duration.total_seconds())
        else:
            time.sleep(
                self.harness.poll_interval if duration is None else max(0, duration.total_seconds())
            )

    def restart(self, operation: Operation, plugin: Any = None) -> Operation:
        """Let the process die, and another one take the operation over.

        That is once its lease has run out: time enough for the service's lists to settle.

        Args:
            operation: the operation.
            plugin: the backend object of the other process; None for a new one.
        """
        self.settle()
        self._process = self.start_process(plugin)
        return self._process.driver.acquire(operation)

    def start_observed_process(self, extension: Any) -> None:
        """Make all calls from now on in another process, in which an extension looks on."""
        self._process = self.start_process(extensions=[extension])

    def leave_process(self) -> None:
        """Let the process end; the next call starts another one."""
        self._process = None

    def cancel(self, operation: Operation) -> Operation:
        """Ask for an operation to be cancelled."""
        return self.process.driver.request_cancel(operation.id)

    def run(
        self, verb: Verb, target: Resource | Backup, between: BeforeCall | None = None
    ) -> Operation:
        """Plan an operation and drive it to its end."""
        return self.finish(self.plan(verb, target), between)

    def run_successfully(
        self, verb: Verb, target: Resource | Backup, between: BeforeCall | None = None
    ) -> Operation:
        """Plan an operation and drive it to its end, which is to be a success.

        Raises:
            RuleViolation: it is not, or it is not released.
        """
        return require_success(self.run(verb, target, between))

    def protect(self, resource: Resource) -> Backup:
        """Protect a resource; answer the backup."""
        return require_backup(self.run_successfully(Verb.PROTECT, resource))

    def target_for(self, verb: Verb, resource: Resource) -> Resource | Backup:
        """Return what a verb works on: the resource, or a new backup of it."""
        if verb is Verb.COPY:
            return self.source.protect(resource)
        return resource if verb is Verb.PROTECT else self.protect(resource)

    def target_of(self, verb: Verb, backup: Backup) -> Resource | Backup:
        """Return what a verb works on: a backup, its resource, or one of that in another place."""
        if verb in (Verb.PROTECT, Verb.COPY):
            return self.target_for(verb, backup.resource)
        return backup

    def restored_resource(self, operation: Operation) -> Resource:
        """Return the resource that a restore made or filled.

        Raises:
            RuleViolation: the backend does not name it, and the harness cannot find it.
        """
        resources = operation.outcome.resources if operation.outcome else ()
        if resources:
            return resources[0]
        require(
            self.harness.find_restored,
            "the restore names no resource, and the harness has no find_restored",
        )
        return self.harness.find_restored(operation)  # type: ignore[misc]

    def read_content(self, resource: Resource) -> bytes:
        """Return the content of a resource."""
        return self.harness.resources.read(resource)

    def created_resources(self) -> list[Resource]:
        """Return the resources that were made for the rule, and by its restores."""
        outcomes = [each.outcome for each in self.store.operations() if each.outcome is not None]
        return self._created + [made for outcome in outcomes for made in outcome.resources]

    def inventory(self) -> Inventory:
        """List everything in the service, settled; nothing where the harness cannot."""
        self.settle()
        return self.list_now()

    def list_now(self) -> Inventory:
        """List what the service shows at this moment; nothing where the harness cannot."""
        return Inventory() if self.harness.inventory is None else self.harness.inventory()

    def settle(self) -> None:
        """Give the service time until its lists show what was done."""
        if self.harness.clock is not None:
            self.wait(_SETTLE_TIME)
        elif self.harness.settle_time:
            self.wait(timedelta(seconds=self.harness.settle_time))

    def settle_until(self, holds: Callable[[], bool]) -> None:
        """Give the service time until its lists show what was done, and until something holds.

        A service without a clock is waited for as long as its harness says, and no longer: a rule
        that is broken is to fail soon.
        """
        self.settle()
        if self.harness.clock is not None:
            self.wait_until(holds)

    def wait_until(self, holds: Callable[[], bool]) -> bool:
        """Let time go by until something holds, or too long.

        Returns:
            Whether it holds.
        """
        for _ in range(self.calls_limit):
            if holds():
                return True
            self.wait()
        return holds()

    def inject_fault(self, fault: Fault) -> None:
        """Make a fault happen at its first occasion."""
        self.harness.faults[fault]()

    def has_pending_fault(self) -> bool:
        """Return whether a fault has met no request yet, as far as the harness can tell."""
        pending = self.harness.pending_faults
        return pending is not None and bool(pending())

    def absorb_fault(self) -> bool:
        """Let a fault that has met no request yet meet one that changes nothing.

        Returns:
            Whether there was one.
        """
        pending = self.has_pending_fault()
        if pending:
            self.process.backend.health()
        return pending

    def _patience(self) -> float:
        """Return for how many seconds each operation may keep others waiting."""
        return CALLS_LIMIT if self.harness.clock is not None else self.harness.timeout

    @property
    def calls_limit(self) -> int:
        """The number of calls, with a wait after each, after which work counts as stuck."""
        if self.harness.clock is not None:
            return CALLS_LIMIT
        return CALLS_LIMIT + int(3 * self.harness.timeout / self.harness.poll_interval)
