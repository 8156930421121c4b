"""When a lease is renewed, and that no fault ends the renewals: with a timer of the test's."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import Driver, Lifecycle, ManualClock, MemoryStore, Policy, StoreError
from karbor_backup_core._execution.lease_renewer import LeaseRenewer, RenewalCallbacks

LEASE = timedelta(seconds=30)


class Unexpected(BaseException):
    """What no handler of exceptions catches."""


@attrs.define
class ManualTimer:
    """A timer of which the test calls what is due."""

    entries: list[tuple[timedelta, Callable[[], object]]] = attrs.field(factory=list)

    def schedule(self, delay: timedelta, action: Callable[[], object]) -> None:
        self.entries.append((delay, action))


@attrs.define
class Renewals:
    """A lease renewer with all that it works with, and the callbacks that it made."""

    store: MemoryStore = attrs.field(factory=MemoryStore)
    clock: ManualClock = attrs.field(factory=ManualClock)
    timer: ManualTimer = attrs.field(factory=ManualTimer)
    told: list[str] = attrs.field(factory=list)
    driver: Driver = attrs.field(init=False)

    def start(self) -> None:
        lifecycle = Lifecycle(Policy(lease=LEASE))
        self.driver = Driver(self.store, {}, lifecycle, self.clock)
        self.driver.lease.ensure_valid()
        callbacks = RenewalCallbacks(
            is_needed=lambda: True,
            on_renewed=lambda: self.told.append("listen"),
            on_expired=lambda _: self.told.append("expired"),
            on_new_owner=lambda: self.told.append("renamed"),
        )
        timer: object = self.timer
        LeaseRenewer(self.driver, timer, lambda action: action(), callbacks).start()  # type: ignore[arg-type]

    def beat(self) -> None:
        """Let the time pass until the next renewal, and make it."""
        ((delay, action),) = self.timer.entries
        self.timer.entries.clear()
        self.clock.advance(delay.total_seconds())
        action()


@pytest.fixture
def renewals() -> Renewals:
    made = Renewals()
    made.start()
    return made


def delays(renewals: Renewals) -> Sequence[timedelta]:
    return [delay for delay, _ in renewals.timer.entries]


def test_lease_is_renewed_at_a_third_of_its_time(renewals: Renewals) -> None:
    renewals.beat()
    assert delays(renewals) == [LEASE / 3]
    assert renewals.told == ["listen"]


@pytest.mark.parametrize("fault", [StoreError, RuntimeError, SystemExit, Unexpected])
@pytest.mark.parametrize("method", ["renew_lease", "now"])
def test_renewals_go_on_after_any_fault_of_the_store(
    renewals: Renewals, monkeypatch: pytest.MonkeyPatch, method: str, fault: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise fault("a fault that nobody expects")

    monkeypatch.setattr(renewals.store, method, fail)
    for _ in range(3):
        renewals.beat()
        assert len(delays(renewals)) == 1
        assert delays(renewals)[0] < LEASE / 3
    monkeypatch.undo()
    renewals.beat()
    assert delays(renewals) == [LEASE / 3]
    assert "listen" in renewals.told


@pytest.mark.parametrize("fault", [StoreError, Unexpected])
def test_new_owner_is_told_when_the_store_is_back_after_the_lease_had_run_out(
    renewals: Renewals, monkeypatch: pytest.MonkeyPatch, fault: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise fault("the store is away")

    monkeypatch.setattr(renewals.store, "renew_lease", fail)
    renewals.clock.advance(LEASE.total_seconds())
    renewals.beat()
    assert "renamed" not in renewals.told
    monkeypatch.undo()
    renewals.beat()
    assert renewals.told.count("renamed") == 1
    renewals.beat()
    assert renewals.told.count("renamed") == 1


def test_new_owner_is_told_where_a_call_has_renewed_the_lease_that_had_run_out(
    renewals: Renewals,
) -> None:
    renewals.clock.advance(LEASE.total_seconds())
    renewals.driver.lease.ensure_valid()
    renewals.beat()
    assert renewals.told == ["renamed", "listen"]
