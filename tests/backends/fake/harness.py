"""A fake cloud with a driver before it, on a clock that tests turn."""

import functools
from collections.abc import Callable, Mapping
from datetime import timedelta

from karbor_backup_core import (
    Backend,
    Backup,
    Call,
    Driver,
    Lifecycle,
    ManualClock,
    MemoryStore,
    Operation,
    Policy,
    Resource,
    Verb,
    next_call,
    plan_delete,
    plan_protect,
    plan_restore,
    plan_verify,
)
from karbor_backup_fake import FakeBackend, FakeCloud, seed_cloud

SERVER = Resource("OS::Nova::Server", "server-1", "web")
VOLUME = Resource("OS::Cinder::Volume", "volume-2", "data")
PROJECT = Resource("OS::Keystone::Project", "project-1", "shop")

OPTIONS: Mapping[Verb, Mapping[str, object]] = {
    Verb.PROTECT: {"backup_name": "nightly"},
    Verb.RESTORE: {"restore_name": "again"},
    Verb.DELETE: {},
    Verb.VERIFY: {},
}

PLANNERS: Mapping[Verb, Callable[..., Operation]] = {
    Verb.PROTECT: plan_protect,
    Verb.RESTORE: plan_restore,
    Verb.DELETE: plan_delete,
    Verb.VERIFY: plan_verify,
}

STEPS_LIMIT = 300


class DriverHarness:
    """Drives operations on one cloud.

    Attributes:
        clock: stands still between polls.
        cloud: holds a small project; its jobs take 5 seconds.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.cloud = seed_cloud(FakeCloud(clock=self.clock, service_seconds=5))
        self._store = MemoryStore()
        self._lifecycle = Lifecycle(Policy(release=timedelta(minutes=1)))

    def add_operation(
        self,
        verb: Verb,
        target: Resource | Backup,
        options: Mapping[str, object] | None = None,
        phases: int = 1,
    ) -> Operation:
        """Store an operation that nothing was done for yet."""
        driver = self.driver(phases)
        operation = PLANNERS[verb](
            driver.backends["fake"],
            target,
            OPTIONS[verb] if options is None else options,
            now=self.clock(),
            deadline=timedelta(hours=1),
        )
        return driver.add(operation)

    def drive(
        self, operation: Operation, phases: int = 1, *, cancel_after: int | None = None
    ) -> Operation:
        """Drive an operation until it is finished; cancel it after that many calls."""
        driver = self.driver(phases)
        for number in range(STEPS_LIMIT):
            if number == cancel_after:
                operation = driver.request_cancel(operation.id)
            match next_call(operation, self.clock()):
                case Call.NOTHING:
                    return operation
                case Call.WAIT:
                    self.clock.advance_to(operation.retry.not_before or self.clock())
                case Call.POLL:
                    polled = driver.poll("fake", [operation])
                    (operation,) = polled.operations
                    self.clock.advance(1)
                case _:
                    operation = driver.step(operation)
        raise AssertionError(f"{operation} is not finished after {STEPS_LIMIT} calls")

    def run(
        self,
        verb: Verb,
        target: Resource | Backup,
        options: Mapping[str, object] | None = None,
        phases: int = 1,
    ) -> Operation:
        """Plan an operation and drive it to its end."""
        return self.drive(self.add_operation(verb, target, options, phases), phases)

    def protect(self, resource: Resource) -> Backup:
        """Protect a resource; answer the backup."""
        outcome = self.run(Verb.PROTECT, resource).outcome
        assert outcome is not None
        assert outcome.backup is not None
        return outcome.backup

    @functools.cache  # noqa: B019 - a harness lives as long as its test
    def driver(self, phases: int = 1) -> Driver:
        """Return the driver whose backend takes that many phases for every verb."""
        configuration = {"phases": {verb.value: phases for verb in Verb}}
        backend = Backend.from_plugin("fake", FakeBackend(configuration, cloud=self.cloud))
        return Driver(
            self._store, {"fake": backend}, self._lifecycle, self.clock, owner="the harness"
        )
