"""A world in which the process that drives an operation dies where a test says, and is followed."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

import attrs

from karbor_backup_core import (
    Backend,
    Backup,
    Call,
    Driver,
    KarborBackupError,
    Lifecycle,
    ManualClock,
    MemoryStore,
    Operation,
    Policy,
    Resource,
    Result,
    State,
    Transient,
    Verb,
    next_call,
    plan_copy,
    plan_delete,
    plan_protect,
    plan_restore,
    plan_verify,
)
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake._inventory import Inventory
from karbor_backup_fake._model import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

POLICY = Policy(
    poll_first=timedelta(seconds=1),
    unknown_gap=timedelta(seconds=2),
    retry_first=timedelta(seconds=1),
    lease=timedelta(seconds=10),
)
PLANNERS: Mapping[Verb, Callable[..., Operation]] = {
    Verb.PROTECT: plan_protect,
    Verb.RESTORE: plan_restore,
    Verb.DELETE: plan_delete,
    Verb.VERIFY: plan_verify,
    Verb.COPY: plan_copy,
}
SERVICE_SECONDS = 3
STEPS_LIMIT = 200

VOLUME = Resource("OS::Cinder::Volume", "volume-1", "data")
SERVER = Resource("OS::Nova::Server", "server-1", "web")
BOOT_DISK = Resource("OS::Cinder::Volume", "disk-1", "disk")
CONTENT = b"what the user owns"


class Crash(BaseException):
    """The process died here; nothing in the program may catch it."""


@attrs.define
class CrashPoints:
    """Counts the points at which something leaves or enters the process.

    Attributes:
        kills: the points at which the process dies.
        lost: the points at which a reply is lost.
        disturbance: the point at which something else happens before the process goes on.
        disturb: what happens then.
        points: how many were passed.
        armed: whether points count now.
    """

    crash_at: frozenset[int] = frozenset()
    lose_reply_at: frozenset[int] = frozenset()
    disturbance: int | None = None
    disturb: Callable[[], object] = bool
    passed: int = 0
    armed: bool = False

    def pass_write(self) -> None:
        """Pass a point beside a store write."""
        if not self.armed:
            return
        self.passed += 1
        if self.passed == self.disturbance:
            self.armed = False
            self.disturb()
            self.armed = True
        if self.passed in self.crash_at:
            raise Crash

    def pass_request(self, name: str) -> None:
        """Pass a point beside a request to the service."""
        self.pass_write()
        if self.armed and name.endswith(" done") and self.passed in self.lose_reply_at:
            raise Unavailable("the reply is lost")


class CrashingStore(MemoryStore):
    """A store at whose every write, before it and after it, the process may die."""

    def __init__(self, crash_points: CrashPoints) -> None:
        super().__init__()
        self._crash_points = crash_points

    def add(self, operation: Operation) -> Operation:
        return self._write_between_crash_points(super().add, operation)

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        return self._write_between_crash_points(super().write, operations)

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        return self._write_between_crash_points(super().take_over, operation, seen)

    def _write_between_crash_points(
        self, write: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        self._crash_points.pass_write()
        stored = write(*args, **kwargs)
        self._crash_points.pass_write()
        return stored


@attrs.frozen
class Scenario:
    """One kind of operation.

    Attributes:
        verb: what is done.
        resource: to what.
        phases: in how many phases.
        heeds_cancel: whether the service stops when it is told to.
    """

    verb: Verb
    resource: Resource
    phases: int = 1
    heeds_cancel: bool = True

    def __str__(self) -> str:
        kind = self.resource.type.rsplit("::", 1)[-1].lower()
        deaf = "" if self.heeds_cancel else "-deaf"
        return f"{self.verb}-{kind}-{self.phases}{deaf}"

    @property
    def options(self) -> dict[str, str]:
        """The options that the verb requires."""
        return {
            Verb.PROTECT: {"backup_name": "nightly"},
            Verb.RESTORE: {"restore_name": "again"},
        }.get(self.verb, {})


def create_backend(scenario: Scenario, cloud: Any) -> Backend:
    """Make the backend that works in as many phases as the scenario says."""
    vault = "second" if scenario.verb is Verb.COPY else ""
    configuration = {"phases": {scenario.verb: scenario.phases}, "vault": vault}
    return Backend.from_plugin("cloud", FakeBackend(configuration, cloud=cloud))


class CloudProxy:
    """Stands for the cloud of the present world, so that one backend can serve many worlds."""

    def __init__(self) -> None:
        self.cloud = FakeCloud()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cloud, name)


class CrashHarness:
    """A fake cloud, a store, and one operation that is driven to its end by mortal processes.

    Args:
        scenario: what is done.
        kills: the points at which the process dies.
        lost: the points at which a reply is lost.
        cancel_at: the step before which somebody else asks for a cancel.
        shared: a backend for all processes and its cloud; each makes its own if there is none.
    """

    def __init__(
        self,
        scenario: Scenario,
        kills: Iterable[int] = (),
        lost: Iterable[int] = (),
        cancel_at: int | None = None,
        *,
        shared: tuple[Backend, CloudProxy] | None = None,
    ) -> None:
        self.scenario = scenario
        self.clock = ManualClock()
        self.crash_points = CrashPoints(frozenset(kills), frozenset(lost))
        self.store = CrashingStore(self.crash_points)
        self.cloud = FakeCloud("world", clock=self.clock, service_seconds=SERVICE_SECONDS)
        self.cloud.heeds_cancel = scenario.heeds_cancel
        self.cloud.gate = self.crash_points.pass_request
        self._shared = shared[0] if shared else None
        if shared:
            shared[1].cloud = self.cloud
        self.backup: Backup | None = None
        if scenario.verb is Verb.PROTECT:
            self.cloud.add_resource(VOLUME, CONTENT)
            self.cloud.add_resource(BOOT_DISK, CONTENT)
            self.cloud.add_resource(SERVER, CONTENT, (BOOT_DISK,))
        else:
            shelves, self.backup = _protect_once(scenario.resource)
            self.cloud.inventory = attrs.evolve(
                shelves, assets=dict(shelves.assets), copies=dict(shelves.copies)
            )
            self.store.put_backup(self.backup)
        self.cancel_at = cancel_at
        self.steps = 0
        self.operation_id = ""
        self.owned = set(self.cloud.inventory.assets)
        self.stored_before = {copy.id for copy in self.cloud.copies()}

    def run(self) -> "CrashHarness":
        """Drive the operation until it is finished, however often the process dies."""
        self.crash_points.armed = True
        driver = self._new_driver()
        # A delete is refused at its plan where the reply about its dependents is lost.
        with contextlib.suppress(Crash, Transient):
            self._add_planned(driver)
        if self.operation_id not in {operation.id for operation in self.store.operations()}:
            self.operation_id = ""
            return self
        for step in range(STEPS_LIMIT):
            try:
                if self._step(driver, cancel=step == self.cancel_at):
                    break
            except Crash:
                self.clock.advance(POLICY.lease.total_seconds())
                driver = self._new_driver()
            self.steps = step
        self.crash_points.armed = False
        return self

    def find_errors(self) -> list[str]:
        """Return everything that is wrong now that the operation is over."""
        if not self.operation_id:
            return []
        operation = self.store.operation(self.operation_id)
        if operation.state is not State.RELEASED or operation.outcome is None:
            return [f"stuck in {operation.state}, suspended: {operation.suspended}"]
        begun = {key: n for key, n in self.cloud.started.items() if key[0] == operation.id}
        wrong = [f"phase {phase} begun {n} times" for (_, phase), n in begun.items() if n > 1]
        wrong += [f"job {job.id} deleted while it ran" for job in self.cloud.orphans]
        wrong += [f"job {job.id} is left" for job in self.cloud.jobs()]
        wrong += [f"{x.kind} {x.id} is named as left" for x in operation.outcome.leftovers]
        return wrong + self._find_data_errors(operation.outcome.result)

    @property
    def result(self) -> Result | None:
        """How the operation ended."""
        if not self.operation_id:
            return None
        outcome = self.store.operation(self.operation_id).outcome
        return None if outcome is None else outcome.result

    def _new_driver(self) -> Driver:
        backend = self._shared or create_backend(self.scenario, self.cloud)
        return Driver(self.store, {"cloud": backend}, Lifecycle(POLICY, max), self.clock)

    def _add_planned(self, driver: Driver) -> None:
        planned = PLANNERS[self.scenario.verb](
            driver.backends["cloud"],
            self.backup or self.scenario.resource,
            self.scenario.options,
            now=driver.clock(),
            deadline=timedelta(hours=1),
        )
        self.operation_id = planned.id
        driver.add(planned)

    def _step(self, driver: Driver, *, cancel: bool = False) -> bool:
        """Make one call; answer whether the operation is finished."""
        operation = self.store.operation(self.operation_id)
        if cancel:
            self.crash_points.armed = False
            operation = driver.request_cancel(operation.id)
            self.crash_points.armed = True
        if operation.finished:
            return True
        if operation.owner != driver.owner:
            operation = driver.acquire(operation)
        self._make_call(driver, operation)
        return False

    def _make_call(self, driver: Driver, operation: Operation) -> None:
        now = driver.clock()
        match next_call(operation, now):
            case Call.WAIT:
                self.clock.advance(((operation.retry.not_before or now) - now).total_seconds())
            case Call.POLL:
                polled = driver.poll("cloud", [operation])
                for error in polled.lost.values():
                    raise error
                self.clock.advance(1)
            case _:
                driver.step(operation)

    def _find_data_errors(self, result: Result) -> list[str]:
        verb, succeeded = self.scenario.verb, result is Result.SUCCEEDED
        copies = {copy.id for copy in self.cloud.copies()}
        assets = set(self.cloud.inventory.assets)
        made, kept = copies - self.stored_before, self.store.backups()
        wrong = [f"the user's {x} is gone" for x in self.owned - assets]
        if verb is not Verb.RESTORE or not succeeded:
            wrong += [f"resource {x} is left" for x in assets - self.owned]
        elif not any(
            self.cloud.read_content(x) == CONTENT
            and self.cloud.inventory.get_asset(x).resource.name == "again"
            for x in assets - self.owned
        ):
            wrong.append("restored, but the data is not there")
        makes = verb in (Verb.PROTECT, Verb.COPY)
        before = int(self.backup is not None)
        if makes and succeeded:
            complete = all(copy.complete for copy in self.cloud.copies())
            whole = len(made) == 1 and complete and len(kept) == before + 1
            wrong += [] if whole else [f"the {verb} succeeded, and is not kept"]
        elif made:
            wrong.append(f"copies {made} are left")
        if makes and not succeeded and len(kept) != before:
            wrong.append("a backup is known that does not exist")
        if verb is Verb.DELETE and succeeded and (copies or kept):
            wrong.append("deleted, but there")
        if verb is Verb.COPY and not self.stored_before <= copies:
            wrong.append("the first backup is gone")
        if verb in (Verb.RESTORE, Verb.VERIFY) and (not kept or copies != self.stored_before):
            wrong.append("the backup is gone")
        return wrong


@functools.cache
def _protect_once(resource: Resource) -> tuple[Inventory, Backup]:
    """Return the shelves of a cloud in which a resource has been protected, and the backup."""
    world = CrashHarness(Scenario(Verb.PROTECT, resource)).run()
    (backup,) = world.store.backups()
    return world.cloud.inventory, backup
