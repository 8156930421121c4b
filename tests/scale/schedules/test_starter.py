"""Each tick of a schedule begins one operation, whoever looks, and however often."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    Backup,
    Health,
    MemoryStore,
    Operation,
    Resource,
    State,
    Verb,
)
from karbor_backup_core.stores.common import write_one
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_scale.schedules.operations import ScheduledOperation
from karbor_backup_scale.schedules.section import Schedule
from karbor_backup_scale.schedules.starter import ScheduleStarter

TICK = datetime(2026, 1, 15, 2, 30, tzinfo=UTC)
VOLUME = Resource("OS::Cinder::Volume", "volume-1", "db")
MakeScheduled = Callable[..., ScheduledOperation]


@pytest.fixture
def make_scheduled() -> MakeScheduled:
    backend = Backend.from_plugin("lab", FakeBackend({}, cloud=FakeCloud()))

    def make(
        resource: Resource = VOLUME, verb: Verb = Verb.PROTECT, **attributes: Any
    ) -> ScheduledOperation:
        schedule = Schedule("nightly", "30 2 * * *", [], ZoneInfo("UTC"), verb, **attributes)
        return ScheduledOperation(schedule, backend, resource, {}, timedelta(hours=6))

    return make


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_tick_is_begun_once_whoever_looks(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    starters = [ScheduleStarter(store, [make_scheduled()]) for _ in range(2)]
    assert starters[0].start_due(TICK - timedelta(hours=1)) == []
    (stored,) = starters[0].start_due(TICK + timedelta(seconds=3))
    assert (stored.resource, stored.backend, stored.state) == (VOLUME, "lab", State.PLANNED)
    assert stored.deadline - stored.created_at == timedelta(hours=6)
    for later in (5, 600, 3600):
        for starter in starters:
            assert starter.start_due(TICK + timedelta(seconds=later)) == []
    assert store.operations() == [stored]


def test_service_is_not_asked_for_a_tick_that_is_begun(
    store: MemoryStore, make_scheduled: MakeScheduled, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter = ScheduleStarter(store, [make_scheduled()])
    (stored,) = starter.start_due(TICK)
    _end(store, stored)
    monkeypatch.setattr(Backend, "health", lambda _: pytest.fail("it was asked"))
    assert starter.start_due(TICK + timedelta(minutes=1)) == []


def test_required_name_is_made_from_the_tick(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    (stored,) = ScheduleStarter(store, [make_scheduled()]).start_due(TICK + timedelta(minutes=2))
    assert stored.options["backup_name"] == "volume-db-20260115-023000"


def test_every_tick_has_an_operation_of_its_own(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    starter = ScheduleStarter(store, [make_scheduled()])
    (first,) = starter.start_due(TICK)
    _end(store, first)
    (second,) = starter.start_due(TICK + timedelta(days=1))
    assert second.id != first.id


def test_missed_tick_is_begun_within_its_time_and_skipped_after_it(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    starter = ScheduleStarter(store, [make_scheduled(start_within=timedelta(hours=2))])
    assert starter.start_due(TICK + timedelta(hours=2, seconds=1)) == []
    assert len(starter.start_due(TICK + timedelta(hours=2))) == 1


def test_of_several_missed_ticks_the_newest_is_begun(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    protect = make_scheduled(start_within=timedelta(days=7))
    (stored,) = ScheduleStarter(store, [protect]).start_due(TICK + timedelta(days=3))
    assert stored.id == protect.operation_id(TICK + timedelta(days=3))


def test_run_that_goes_on_holds_the_next_tick_back(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    starter = ScheduleStarter(store, [make_scheduled()])
    (first,) = starter.start_due(TICK)
    tomorrow = TICK + timedelta(days=1)
    assert starter.start_due(tomorrow) == []
    _end(store, first)
    assert len(starter.start_due(tomorrow + timedelta(minutes=50))) == 1


def test_suspended_run_holds_nothing_back(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    starter = ScheduleStarter(store, [make_scheduled()])
    (first,) = starter.start_due(TICK)
    write_one(store, attrs.evolve(first, suspended=True))
    assert len(starter.start_due(TICK + timedelta(days=1))) == 1


def test_another_resource_waits_for_nobody(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    other = make_scheduled(Resource("OS::Cinder::Volume", "volume-2"))
    starter = ScheduleStarter(store, [make_scheduled(), other])
    assert len(starter.start_due(TICK)) == 2


def test_service_that_is_not_fit_is_asked_again(
    store: MemoryStore, make_scheduled: MakeScheduled, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter = ScheduleStarter(store, [make_scheduled()])
    with monkeypatch.context() as patched:
        patched.setattr(Backend, "health", lambda _: Health(ok=False, summary="down"))
        assert starter.start_due(TICK) == []
    assert len(starter.start_due(TICK + timedelta(minutes=1))) == 1


def test_jitter_delays_the_tick_of_a_resource_always_alike(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    protect = make_scheduled(jitter=timedelta(hours=1))
    (start,) = {protect.next_start(TICK - timedelta(seconds=1)) - TICK}
    assert timedelta(0) < start < timedelta(hours=1)
    starter = ScheduleStarter(store, [protect])
    assert starter.start_due(TICK + start - timedelta(seconds=1)) == []
    (stored,) = starter.start_due(TICK + start + timedelta(seconds=1))
    assert stored.id == protect.operation_id(TICK)


def test_newest_backup_of_the_resource_is_verified(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    scheduled = make_scheduled(verb=Verb.VERIFY)
    starter = ScheduleStarter(store, [scheduled])
    assert starter.start_due(TICK) == []  # There is none yet.
    changes: list[dict[str, Any]] = [
        {},
        {"id": "newest"},
        {"resource": Resource("OS::Cinder::Volume", "volume-2")},
        {"backend": "tape"},
        {"scope": "fake:elsewhere"},
    ]
    for number, change in enumerate(changes):
        store.put_backup(_backup(scheduled, TICK + timedelta(seconds=number), **change))
    (stored,) = starter.start_due(TICK + timedelta(minutes=1))
    assert stored.verb is Verb.VERIFY
    assert stored.backup is not None
    assert stored.backup.id == "newest"


def test_verify_does_not_wait_for_a_protect_of_the_same_resource(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    verify = make_scheduled(verb=Verb.VERIFY)
    verify = attrs.evolve(verify, schedule=attrs.evolve(verify.schedule, name="check"))
    store.put_backup(_backup(verify, TICK))
    assert len(ScheduleStarter(store, [make_scheduled()]).start_due(TICK)) == 1
    assert len(ScheduleStarter(store, [verify]).start_due(TICK)) == 1


def test_maintenance_is_begun_once_and_holds_the_next_back(
    store: MemoryStore, make_scheduled: MakeScheduled
) -> None:
    scheduled = make_scheduled(Resource("prune", ""), verb=Verb.MAINTAIN)
    starter = ScheduleStarter(store, [scheduled])
    (stored,) = starter.start_due(TICK)
    assert (stored.verb, stored.action, stored.resource.id) == (
        Verb.MAINTAIN,
        "prune",
        scheduled.backend.scope(),
    )
    assert starter.start_due(TICK + timedelta(minutes=1)) == []
    assert starter.start_due(TICK + timedelta(days=1)) == []
    _end(store, stored)
    assert len(starter.start_due(TICK + timedelta(days=1))) == 1


def _backup(scheduled: ScheduledOperation, created_at: datetime, **change: Any) -> Backup:
    made = Backup(
        id=str(uuid.uuid4()),
        backend=scheduled.backend.info.name,
        scope=scheduled.backend.scope(),
        resource=scheduled.resource,
        handle={},
        storage="",
        created_at=created_at,
    )
    return attrs.evolve(made, **change)


def _end(store: MemoryStore, operation: Operation) -> None:
    write_one(store, attrs.evolve(operation, state=State.RELEASED))
