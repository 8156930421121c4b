"""Operations run by threads, on the fake cloud and the machine's clock."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    Backup,
    Clock,
    Conflict,
    Driver,
    InvalidDocument,
    InvalidInput,
    KarborBackupError,
    Lifecycle,
    ManualClock,
    MemoryStore,
    Operation,
    Policy,
    Resource,
    Result,
    Runner,
    State,
    StoreError,
    UnknownBackend,
    Unsupported,
    Verb,
    WrongBackend,
    WrongScope,
    system_clock,
)
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.faults import ANY, Busy, CloudFault, FailJob, Refused, StallJob

QUICK = timedelta(milliseconds=1)
POLICY = Policy(
    poll_first=QUICK,
    poll_limit=QUICK * 20,
    retry_first=QUICK,
    retry_limit=QUICK * 20,
    refusal_first=QUICK,
    unknown_gap=QUICK,
)
VOLUME = Resource("OS::Cinder::Volume", "v1", "data")
IMAGE = Resource("OS::Glance::Image", "i1")
OPTIONS = {"backup_name": "nightly"}
LONG = 30.0


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud("here")
    cloud.add_resource(VOLUME, b"bytes")
    return cloud


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def runner(cloud: FakeCloud, store: MemoryStore) -> Iterator[Runner]:
    with create_runner(cloud, store) as runner:
        yield runner


def create_runner(
    cloud: FakeCloud,
    store: MemoryStore,
    *,
    policy: Policy = POLICY,
    threads: int = 8,
    clock: Clock = system_clock,
    on_change: Callable[[Operation], None] | None = None,
) -> Runner:
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    return Runner(
        store,
        {"cloud": backend},
        policy=policy,
        clock=clock,
        threads=threads,
        on_change=on_change,
    )


@attrs.define
class ChangeWaiter:
    """Waits until an operation has been stored as a test needs it; stands for ``on_change``."""

    condition: Callable[[Operation], bool]
    _met: threading.Event = attrs.field(factory=threading.Event, init=False)

    def __call__(self, operation: Operation) -> None:
        if self.condition(operation):
            self._met.set()

    def wait(self) -> None:
        """Wait until it has been so."""
        assert self._met.wait(LONG)


def is_running(operation: Operation) -> bool:
    return operation.state is State.RUNNING


def is_delayed(operation: Operation) -> bool:
    return operation.retry.not_before is not None


def protect_volume(runner: Runner, store: MemoryStore) -> Backup:
    operation = runner.protect("cloud", VOLUME, OPTIONS)
    runner.wait(operation.id, LONG)
    return store.backup(operation.id)


def runner_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("karbor-backup")]


def test_an_operation_runs_to_its_release(
    runner: Runner, cloud: FakeCloud, store: MemoryStore
) -> None:
    begun = runner.protect("cloud", VOLUME, OPTIONS)
    over = runner.wait(begun.id, LONG)
    assert over.state is State.RELEASED
    assert over.outcome is not None
    assert over.outcome.result is Result.SUCCEEDED
    assert store.backup(begun.id).resource == VOLUME
    assert cloud.jobs() == []


def test_a_backup_is_verified_restored_and_deleted(
    runner: Runner, cloud: FakeCloud, store: MemoryStore
) -> None:
    backup = protect_volume(runner, store)
    verified = runner.verify("cloud", backup)
    runner.wait(verified.id, LONG)
    assert all(check.verified for check in store.backup(backup.id).checks)
    restored = runner.restore("cloud", backup, {"restore_name": "again"})
    outcome = runner.wait(restored.id, LONG).outcome
    assert outcome is not None
    (resource,) = outcome.resources
    assert cloud.read_content(resource.id) == b"bytes"
    deleted = runner.delete("cloud", backup)
    runner.wait(deleted.id, LONG)
    assert cloud.copies() == []
    assert store.backups() == []


def test_many_operations_share_their_polls(cloud: FakeCloud, store: MemoryStore) -> None:
    resources = [cloud.add_resource(Resource(VOLUME.type, f"v{n}"), b"x") for n in range(60)]
    clock = cloud.clock = ManualClock()
    cloud.service_seconds = 60
    under_way: list[str] = []
    overlapping, all_run = threading.Event(), threading.Event()
    running: set[str] = set()
    lock = threading.Lock()

    def gate(point: str) -> None:
        if not point.startswith("list_jobs"):
            return
        with lock:
            under_way.append(point) if point.endswith("asked") else under_way.pop()
            if len(under_way) > 1:
                overlapping.set()

    def listen(operation: Operation) -> None:
        if is_running(operation):
            running.add(operation.id)
            if len(running) == len(resources):
                all_run.set()

    cloud.gate = gate
    with create_runner(cloud, store, on_change=listen) as runner:
        begun = [runner.protect("cloud", resource, OPTIONS) for resource in resources]
        assert all_run.wait(LONG)
        clock.advance(60)
        before = cloud.requests["list_jobs"]
        ended = [runner.wait(operation.id, LONG) for operation in begun]
    assert {operation.state for operation in ended} == {State.RELEASED}
    assert not overlapping.is_set(), "one poll at a time"
    assert cloud.requests["create_job"] == 60
    assert cloud.requests["list_jobs"] - before <= 5, "one poll finds all that have ended"


def cancel_running_protect(cloud: FakeCloud, store: MemoryStore) -> Operation:
    """Cancel a protect when its work runs; return how it has ended."""
    work = ChangeWaiter(is_running)
    with create_runner(cloud, store, on_change=work) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        work.wait()
        runner.cancel(begun.id)
        return runner.wait(begun.id, LONG)


def test_an_operation_is_cancelled_while_its_work_runs(
    cloud: FakeCloud, store: MemoryStore
) -> None:
    cloud.faults.plan("create_job", StallJob())
    over = cancel_running_protect(cloud, store)
    assert over.state is State.RELEASED
    assert over.outcome is not None
    assert over.outcome.result is Result.CANCELLED
    assert cloud.copies() == []
    assert store.backups() == []


@pytest.mark.parametrize("fault", [Busy(), Refused("not now")])
def test_cancel_that_a_service_does_not_take_for_long_is_repeated(
    cloud: FakeCloud, store: MemoryStore, fault: CloudFault
) -> None:
    cloud.faults.plan("create_job", StallJob())
    cloud.faults.plan("cancel_job", *[fault] * 20)
    over = cancel_running_protect(cloud, store)
    assert over.result is Result.CANCELLED
    assert cloud.requests["cancel_job"] == 21
    assert cloud.copies() == []


def test_another_process_may_cancel(cloud: FakeCloud, store: MemoryStore) -> None:
    cloud.faults.plan("create_job", StallJob())
    work = ChangeWaiter(is_running)
    with (
        create_runner(cloud, store, on_change=work) as ours_,
        create_runner(cloud, store) as theirs,
    ):
        begun = ours_.protect("cloud", VOLUME, OPTIONS)
        work.wait()
        theirs.cancel(begun.id)
        outcome = ours_.wait(begun.id, LONG).outcome
    assert outcome is not None
    assert outcome.result is Result.CANCELLED


def test_cancel_ends_the_wait_before_a_repeated_call(cloud: FakeCloud, store: MemoryStore) -> None:
    cloud.faults.plan("create_job", Busy(retry_after=3600))
    delay = ChangeWaiter(is_delayed)
    with create_runner(cloud, store, on_change=delay) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        delay.wait()
        runner.cancel(begun.id)
        outcome = runner.wait(begun.id, LONG).outcome
    assert outcome is not None
    assert outcome.result is Result.CANCELLED


def test_released_operation_is_resumed_by_another_runner(
    cloud: FakeCloud, store: MemoryStore
) -> None:
    clock = cloud.clock = ManualClock()
    cloud.service_seconds = 60
    work = ChangeWaiter(is_running)
    with create_runner(cloud, store, on_change=work) as first:
        begun = first.protect("cloud", VOLUME, OPTIONS)
        work.wait()
    left = store.operation(begun.id)
    assert left.owner == ""
    assert left.state is State.RUNNING
    clock.advance(60)
    with create_runner(cloud, store) as second:
        second.resume(begun.id)
        over = second.wait(begun.id, LONG)
    assert over.state is State.RELEASED
    assert cloud.started[begun.id, 1] == 1


def test_a_suspended_operation_is_resumed(cloud: FakeCloud, store: MemoryStore) -> None:
    hour = timedelta(hours=1)
    clock, work = SettableClock(), ChangeWaiter(is_running)
    hurried = attrs.evolve(POLICY, grace=QUICK, lease=24 * hour)
    cloud.faults.plan("create_job", StallJob())
    cloud.heeds_cancel = False
    with create_runner(cloud, store, policy=hurried, clock=clock, on_change=work) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS, deadline=hour)
        work.wait()
        clock.step = hour
        suspended = runner.wait(begun.id, LONG)
        assert suspended.suspended
        assert suspended.outcome is not None
        assert suspended.outcome.leftovers
        cloud.restart(forget_running=True)
        runner.resume(begun.id)
        over = runner.wait(begun.id, LONG)
    assert over.state is State.RELEASED
    assert cloud.copies() == []


def test_an_operation_that_somebody_drives_is_not_taken(
    cloud: FakeCloud, store: MemoryStore
) -> None:
    cloud.faults.plan("create_job", StallJob())
    with create_runner(cloud, store) as ours_, create_runner(cloud, store) as theirs:
        begun = ours_.protect("cloud", VOLUME, OPTIONS)
        with pytest.raises(Conflict, match="is driven by"):
            theirs.resume(begun.id)
        ours_.cancel(begun.id)
        ours_.wait(begun.id, LONG)


def test_a_lease_is_renewed_while_the_work_goes_on(cloud: FakeCloud) -> None:
    renewed = threading.Event()
    leases: set[object] = set()

    class Watched(MemoryStore):
        def renew_lease(self, owner: str, lease_until: object) -> None:
            super().renew_lease(owner, lease_until)  # type: ignore[arg-type]
            leases.add(lease_until)
            if len(leases) > 1:
                renewed.set()

    cloud.faults.plan("create_job", StallJob())
    short = attrs.evolve(POLICY, lease=timedelta(milliseconds=60))
    with create_runner(cloud, Watched(), policy=short) as runner:
        runner.protect("cloud", VOLUME, OPTIONS)
        assert renewed.wait(LONG)


def test_a_lease_is_renewed_while_all_calls_wait_for_the_service(cloud: FakeCloud) -> None:
    renewed = threading.Event()

    class Watched(MemoryStore):
        def renew_lease(self, owner: str, lease_until: object) -> None:
            super().renew_lease(owner, lease_until)  # type: ignore[arg-type]
            renewed.set()

    def slow(request: str) -> None:
        if request == "create_job asked":
            assert renewed.wait(LONG)

    cloud.gate = slow
    short = attrs.evolve(POLICY, lease=timedelta(milliseconds=60))
    with create_runner(cloud, Watched(), policy=short, threads=1) as runner:
        begun = [runner.protect("cloud", VOLUME, OPTIONS) for _ in range(3)]
        for each in begun:
            outcome = runner.wait(each.id, LONG).outcome
            assert outcome is not None
            assert outcome.result is Result.SUCCEEDED, outcome.reason


def test_ten_thousand_operations_in_flight_take_no_more_threads(store: MemoryStore) -> None:
    clock = ManualClock()
    cloud = FakeCloud("here", clock=clock, service_seconds=3600)
    volumes = [
        cloud.add_resource(attrs.evolve(VOLUME, id=f"v{number}")) for number in range(10_000)
    ]
    running: set[str] = set()
    all_run = threading.Event()

    def listen(operation: Operation) -> None:
        if operation.state is State.RUNNING:
            running.add(operation.id)
            if len(running) == len(volumes):
                all_run.set()

    before = len(runner_threads())
    patient = attrs.evolve(POLICY, poll_first=QUICK * 100, poll_limit=QUICK * 100)
    with create_runner(cloud, store, policy=patient, on_change=listen) as runner:
        begun = [runner.protect("cloud", each, OPTIONS).id for each in volumes]
        assert all_run.wait(10 * LONG)
        assert len(runner_threads()) - before <= 15, "with the one that asks"
        clock.advance(3600)
        states = {runner.wait(operation_id, 10 * LONG).state for operation_id in begun}
    assert states == {State.RELEASED}


def test_two_operations_on_one_backup_come_one_after_the_other(
    cloud: FakeCloud, store: MemoryStore
) -> None:
    begun = ChangeWaiter(lambda each: each.verb is Verb.VERIFY and is_running(each))
    held_up = ChangeWaiter(lambda each: "works on the same backup" in each.retry.last_error)

    def listen(operation: Operation) -> None:
        begun(operation)
        held_up(operation)

    with create_runner(cloud, store, on_change=listen) as runner:
        backup = protect_volume(runner, store)
        cloud.faults.plan("create_job", StallJob())
        first = runner.verify("cloud", backup)
        begun.wait()
        second = runner.delete("cloud", backup)
        held_up.wait()
        assert store.operation(second.id).state is State.PLANNED
        runner.cancel(first.id)
        outcome = runner.wait(second.id, LONG).outcome
    assert outcome is not None
    assert outcome.result is Result.SUCCEEDED


def test_failure_is_an_outcome_not_an_exception(runner: Runner, cloud: FakeCloud) -> None:
    cloud.faults.plan("create_job", FailJob("the disk is full"))
    begun = runner.protect("cloud", VOLUME, OPTIONS)
    outcome = runner.wait(begun.id, LONG).outcome
    assert outcome is not None
    assert (outcome.result, outcome.reason) == (Result.FAILED, "the disk is full")
    assert cloud.copies() == []


def test_polls_that_fail_are_repeated(runner: Runner, cloud: FakeCloud) -> None:
    cloud.service_seconds = 0.05
    cloud.faults.plan("list_jobs", Busy(), Busy(), Refused())
    begun = runner.protect("cloud", VOLUME, OPTIONS)
    outcome = runner.wait(begun.id, LONG).outcome
    assert outcome is not None
    assert outcome.result is Result.SUCCEEDED
    assert not cloud.faults.unfired()


def test_a_covered_resource_is_over_at_once(runner: Runner, cloud: FakeCloud) -> None:
    future = runner.protect("cloud", IMAGE, OPTIONS)
    assert future.done()
    operation = future.result()
    assert runner.wait(operation.id) == operation
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert operation.outcome.covered
    assert operation.outcome.backup is None
    assert not cloud.requests


@pytest.mark.parametrize(
    ("backend", "resource", "options", "error"),
    [
        ("nowhere", VOLUME, OPTIONS, UnknownBackend),
        ("cloud", Resource("OS::Manila::Share", "s1"), OPTIONS, Unsupported),
        ("cloud", VOLUME, {}, InvalidDocument),
        ("cloud", VOLUME, {"backup_name": 1, "color": "red"}, InvalidDocument),
    ],
)
def test_impossible_step_is_refused_before_any_work(
    runner: Runner,
    cloud: FakeCloud,
    store: MemoryStore,
    backend: str,
    resource: Resource,
    options: dict[str, object],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        runner.protect(backend, resource, options)
    assert store.operations() == []
    assert not cloud.requests


def test_a_deadline_in_the_past_is_refused(runner: Runner) -> None:
    with pytest.raises(InvalidInput, match="deadline"):
        runner.protect("cloud", VOLUME, OPTIONS, deadline=-QUICK)


@pytest.mark.parametrize(
    ("change", "error"),
    [({"backend": "freezer"}, WrongBackend), ({"scope": "fake:elsewhere"}, WrongScope)],
)
def test_a_backup_from_elsewhere_is_refused(
    runner: Runner, store: MemoryStore, change: dict[str, str], error: type[Exception]
) -> None:
    backup = attrs.evolve(protect_volume(runner, store), **change)
    with pytest.raises(error):
        runner.delete("cloud", backup)


def test_an_operation_of_another_scope_is_not_resumed(cloud: FakeCloud, store: MemoryStore) -> None:
    cloud.service_seconds = 60
    with create_runner(cloud, store) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
    with (
        create_runner(FakeCloud("elsewhere"), store) as runner,
        pytest.raises(WrongScope, match="fake:here"),
    ):
        runner.resume(begun.id)


def test_store_failure_is_raised_by_wait(cloud: FakeCloud) -> None:
    class FailingStore(MemoryStore):
        def write(
            self, operations: Sequence[Operation]
        ) -> Mapping[str, Operation | KarborBackupError]:
            if any(each.outcome is not None for each in operations):
                raise StoreError("disk full while writing")
            return super().write(operations)

    short = attrs.evolve(POLICY, lease=timedelta(milliseconds=200))
    with create_runner(cloud, FailingStore(), policy=short) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        with pytest.raises(StoreError, match="disk full"):
            runner.wait(begun.id, LONG)


class UnavailableStore(MemoryStore):
    """A store that can be taken away and brought back."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    def _require_available(self) -> None:
        if self.away:
            raise StoreError("the store is away")

    def add(self, operation: Operation) -> Operation:
        self._require_available()
        return super().add(operation)

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        self._require_available()
        return super().write(operations)

    def operation(self, operation_id: str) -> Operation:
        self._require_available()
        return super().operation(operation_id)

    def cancel_requests(self, owner: str) -> Sequence[str]:
        self._require_available()
        return super().cancel_requests(owner)

    def renew_lease(self, owner: str, lease_until: datetime) -> None:
        self._require_available()
        super().renew_lease(owner, lease_until)


def run_during_store_outage(
    policy: Policy, told: Callable[[Operation, BaseException], None], back: Callable[[], object]
) -> list[Operation]:
    """Begin operations, take the store away until ``back`` returns, and wait for their ends."""
    clock, store = ManualClock(), UnavailableStore()
    cloud = FakeCloud("here", clock=clock, service_seconds=60)
    volumes = [
        cloud.add_resource(attrs.evolve(VOLUME, id=f"v{number}"), b"x") for number in range(20)
    ]
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    with Runner(store, {"cloud": backend}, policy=policy, on_lost=told) as runner:
        begun = [runner.protect("cloud", each, OPTIONS) for each in volumes]
        store.away = True
        back()
        store.away = False
        over: list[Operation] = []
        while len(over) < len(begun):
            clock.advance(60)
            with contextlib.suppress(StoreError, TimeoutError):
                over.append(runner.wait(begun[len(over)].id, 0.05))
    assert all(count == 1 for count in cloud.started.values())
    return over


def test_operations_go_on_when_the_store_was_away_for_less_than_a_lease() -> None:
    told: list[str] = []
    away = threading.Event()
    over = run_during_store_outage(
        POLICY, lambda operation, _: told.append(operation.id), lambda: away.wait(0.5)
    )
    assert {each.state for each in over} == {State.RELEASED}
    assert told == []


def test_operations_are_reported_and_acquired_again_after_an_expired_lease() -> None:
    told: set[str] = set()
    all_told = threading.Event()

    def tell(operation: Operation, error: BaseException) -> None:
        assert isinstance(error, StoreError)
        told.add(operation.id)
        if len(told) == 20:
            all_told.set()

    short = attrs.evolve(POLICY, lease=timedelta(milliseconds=200))
    over = run_during_store_outage(short, tell, lambda: all_told.wait(LONG))
    assert {each.state for each in over} == {State.RELEASED}
    assert told == {each.id for each in over}


def test_operation_with_an_internal_error_is_dropped_and_reported(cloud: FakeCloud) -> None:
    told: list[BaseException] = []

    def gate(point: str) -> None:
        if point == "create_job asked":
            cloud.gate = lambda _: None
            raise SystemExit("enough")

    let_go = threading.Event()

    class Watched(MemoryStore):
        def write(
            self, operations: Sequence[Operation]
        ) -> Mapping[str, Operation | KarborBackupError]:
            if not all(each.owner for each in operations):
                let_go.set()
            return super().write(operations)

    cloud.gate = gate
    kept = Watched()
    short = attrs.evolve(POLICY, lease=timedelta(milliseconds=100))
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    with Runner(
        kept, {"cloud": backend}, policy=short, on_lost=lambda _, error: told.append(error)
    ) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        with pytest.raises(SystemExit):
            runner.wait(begun.id, LONG)
        assert let_go.wait(LONG), "another process can take it although this one lives"
    assert [type(error) for error in told] == [SystemExit]


@attrs.define
class SettableClock:
    """The machine's clock, which somebody sets."""

    step: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.step


@pytest.mark.parametrize("step", [timedelta(days=2), -timedelta(days=1)])
def test_no_operation_ends_or_is_lost_when_the_clock_is_stepped(
    cloud: FakeCloud, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, step: timedelta
) -> None:
    clock = SettableClock()
    for module in ("_execution.runner", "_execution.owner_lease", "_clock"):
        monkeypatch.setattr(f"karbor_backup_core.{module}.system_clock", clock)
    cloud.service_seconds = 0.2
    cloud.clock = lambda: datetime.now(UTC)
    short = attrs.evolve(POLICY, lease=timedelta(milliseconds=300), deadline=timedelta(hours=1))
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    with Runner(store, {"cloud": backend}, policy=short, clock=clock) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        clock.step = step
        outcome = runner.wait(begun.id, LONG).outcome
    assert outcome is not None
    assert outcome.result is Result.SUCCEEDED, outcome.reason


@pytest.mark.parametrize("request_name", ["create_job", "list_jobs"])
def test_system_exit_in_a_hook_is_raised_by_wait(
    cloud: FakeCloud, store: MemoryStore, request_name: str
) -> None:
    def gate(point: str) -> None:
        if point == f"{request_name} asked":
            raise SystemExit("enough")

    cloud.service_seconds = 0.01
    with create_runner(cloud, store, threads=1) as runner:
        for _ in range(2):
            cloud.gate = gate
            begun = runner.protect("cloud", VOLUME, OPTIONS)
            with pytest.raises(SystemExit, match="enough"):
                runner.wait(begun.id, LONG)
        cloud.gate = lambda _: None
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        assert runner.wait(begun.id, LONG).state is State.RELEASED


def test_a_listener_that_raises_stops_nothing(cloud: FakeCloud, store: MemoryStore) -> None:
    def listen(operation: Operation) -> None:
        raise RuntimeError(operation.id)

    with create_runner(cloud, store, on_change=listen) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        assert runner.wait(begun.id, LONG).state is State.RELEASED


class Unexpected(BaseException):
    """What the guard around a store lets through: it is no fault that it knows."""


def test_fault_in_a_renewal_of_the_lease_is_outlived_by_the_operations(cloud: FakeCloud) -> None:
    repeated, faulty = threading.Event(), MemoryStore()
    calls: list[None] = []

    def fail(*_: object) -> None:
        calls.append(None)
        if len(calls) > 1:
            repeated.set()
        raise Unexpected("a fault that nobody expects")

    cloud.faults.plan("create_job", Busy(retry_after=3600))
    delay = ChangeWaiter(is_delayed)
    short = attrs.evolve(POLICY, lease=timedelta(seconds=1))
    with create_runner(cloud, faulty, policy=short, on_change=delay) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        delay.wait()  # from now on only the timer renews the lease
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(faulty, "renew_lease", fail)
            assert repeated.wait(LONG)
        runner.cancel(begun.id)
        assert runner.wait(begun.id, LONG).state is State.RELEASED


def test_operation_that_waits_is_taken_anew_after_its_lease_had_run_out(
    cloud: FakeCloud, store: MemoryStore
) -> None:
    cloud.faults.plan("create_job", Busy(retry_after=3600), operation=ANY)
    clock, delay = SettableClock(), ChangeWaiter(is_delayed)
    lease = timedelta(seconds=1)
    with create_runner(
        cloud, store, policy=attrs.evolve(POLICY, lease=lease), clock=clock, on_change=delay
    ) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        delay.wait()
        clock.step = 2 * lease
        Driver(store, {}, Lifecycle(POLICY)).request_cancel(begun.id)
        ended = runner.wait(begun.id, LONG)
    assert ended.result is Result.CANCELLED


def test_operation_that_cannot_be_released_delays_no_cancel(cloud: FakeCloud) -> None:
    """What cannot be read any more is dropped; cancels of the others are heard all the same."""
    store = UnreadableStore()
    cloud.faults.plan("create_job", Busy(retry_after=3600), operation=ANY)
    short = attrs.evolve(POLICY, lease=timedelta(seconds=1.5))
    with create_runner(cloud, store, policy=short) as runner:
        kept = runner.protect("cloud", VOLUME, OPTIONS)
        assert store.asked.wait(LONG), "from now on only a renewal asks for cancels"
        runner._executor._failure_handler.drop_operation("unreadable", TypeError("a fault"))
        other = Driver(store, {}, Lifecycle(short))
        other.request_cancel(kept.id)
        ended = runner.wait(kept.id, LONG)
    assert ended.outcome is not None
    assert ended.outcome.result is Result.CANCELLED


class UnreadableStore(MemoryStore):
    """A store in which one operation cannot be read.

    Attributes:
        asked: set once it was asked for cancels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def cancel_requests(self, owner: str) -> Sequence[str]:
        requested = super().cancel_requests(owner)
        self.asked.set()
        return requested

    def operation(self, operation_id: str) -> Operation:
        if operation_id == "unreadable":
            raise StoreError("its document is no JSON")
        return super().operation(operation_id)


def test_polls_refused_for_good_come_ever_further_apart(
    cloud: FakeCloud, store: MemoryStore
) -> None:
    first = timedelta(milliseconds=20)
    policy = attrs.evolve(POLICY, refusal_first=first, refusal_limit=first * 8)
    polls: list[float] = []
    enough = threading.Event()

    def gate(point: str) -> None:
        if point == "list_jobs asked":
            polls.append(time.monotonic())
            if len(polls) == 7:
                enough.set()

    cloud.gate = gate
    cloud.service_seconds = 0.01
    cloud.faults.plan("list_jobs", *[Refused()] * 7)
    with create_runner(cloud, store, policy=policy) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        assert enough.wait(LONG)
        assert runner.wait(begun.id, LONG).state is State.RELEASED
    # Only lower bounds, half of the longest delays: a slow machine makes the pauses longer.
    pauses = [later - earlier for earlier, later in pairwise(polls)]
    expected = [first / 2 * factor for factor in (1, 2, 4, 8, 8, 8)]
    assert all(
        pause >= least.total_seconds() for pause, least in zip(pauses, expected, strict=False)
    ), pauses


def test_wait_raises_after_its_timeout(runner: Runner, cloud: FakeCloud) -> None:
    cloud.faults.plan("create_job", StallJob())
    begun = runner.protect("cloud", VOLUME, OPTIONS)
    with pytest.raises(TimeoutError, match=f"{begun.id} is not finished after 0.01 s, and goes on"):
        runner.wait(begun.id, 0.01)
    assert not runner.operation(begun.id).finished
    runner.cancel(begun.id)


def test_no_thread_before_the_first_operation_and_none_after_the_close(
    cloud: FakeCloud, store: MemoryStore
) -> None:
    runner = create_runner(cloud, store)
    assert runner_threads() == []
    runner.wait(runner.protect("cloud", VOLUME, OPTIONS).id, LONG)
    assert runner_threads() != []
    runner.close()
    assert runner_threads() == []
