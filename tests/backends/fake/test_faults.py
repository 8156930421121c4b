"""What can be planned to go wrong, and what is left afterwards."""

from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, Result, State, Verb
from karbor_backup_fake.faults import (
    Busy,
    FailWork,
    Fault,
    Fine,
    IgnoresCancel,
    LostReply,
    Refused,
    Restart,
    Slow,
    Stall,
    Twice,
)
from tests.backends.fake.bench import PROJECT, SERVER, VOLUME, Bench


def driven(bench: Bench, operation: Operation, **how: int) -> Outcome:
    """Drive an operation to its release; answer its outcome."""
    operation = bench.driven(operation, **how)
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert bench.cloud.orphans == []
    assert bench.cloud.jobs(operation.id) == []
    return operation.outcome


def left(bench: Bench, outcome: Outcome, operation: Operation) -> bool:
    """Answer whether exactly what the outcome names is left of an operation."""
    wanted = [resource.id for resource in outcome.resources[:1]]  # members are inside it
    if outcome.backup is not None:
        wanted.append(outcome.backup.handle["copy"])
    return bench.cloud.left_by(operation.id) == wanted


@pytest.mark.parametrize("verb", [Verb.PROTECT, Verb.RESTORE], ids=str)
@pytest.mark.parametrize("request_name", ["create_job", "list_jobs", "list_made", "delete_job"])
@pytest.mark.parametrize(
    "fault", [LostReply(), Busy(), Busy(retry_after=40), Restart(), Twice(), Fine()], ids=repr
)
def test_what_passes_by_itself_costs_time_only(
    bench: Bench, verb: Verb, request_name: str, fault: Fault
) -> None:
    target = SERVER if verb is Verb.PROTECT else bench.backup(SERVER)
    planned = bench.planned(verb, target)
    bench.cloud.faults.plan(request_name, fault)
    outcome = driven(bench, planned)
    assert outcome.result is Result.SUCCEEDED
    assert left(bench, outcome, planned)
    assert bench.cloud.faults.unfired() == ()
    if not isinstance(fault, Twice):
        assert set(bench.cloud.started.values()) == {1}


def test_what_a_doubled_request_made_in_vain_is_removed(bench: Bench) -> None:
    protect = bench.planned(Verb.PROTECT, SERVER)
    bench.cloud.faults.plan("create_job", Twice(), operation=protect.id)
    outcome = driven(bench, protect)
    assert bench.cloud.started[protect.id, 1] == 2
    assert left(bench, outcome, protect)
    assert len(bench.cloud.copies()) == 2  # of the server and of its volume


@pytest.mark.parametrize("verb", [Verb.PROTECT, Verb.RESTORE], ids=str)
@pytest.mark.parametrize("failing_phase", [1, 2, 3])
def test_work_that_fails_is_undone(bench: Bench, verb: Verb, failing_phase: int) -> None:
    target = PROJECT if verb is Verb.PROTECT else bench.backup(PROJECT)
    before = (dict(bench.cloud.inventory.assets), bench.cloud.copies())
    planned = bench.planned(verb, target, phases=3)
    faults = [Fine()] * (failing_phase - 1)
    bench.cloud.faults.plan("create_job", *faults, FailWork("no space"), operation=planned.id)
    outcome = driven(bench, planned, phases=3)
    assert outcome.result is Result.FAILED
    assert outcome.reason == "no space"
    assert (bench.cloud.inventory.assets, bench.cloud.copies()) == before


def test_a_member_that_fails_fails_the_whole_and_is_named(bench: Bench) -> None:
    protect = bench.planned(Verb.PROTECT, PROJECT)
    bench.cloud.faults.plan("create_job", FailWork("no space", member="volume-2"))
    outcome = driven(bench, protect)
    assert outcome.result is Result.FAILED
    assert [(part.resource.id, part.result, part.reason) for part in outcome.parts] == [
        ("server-1", Result.SUCCEEDED, ""),
        ("volume-2", Result.FAILED, "no space"),
    ]
    assert left(bench, outcome, protect)


@pytest.mark.parametrize("request_name", ["create_job", "delete_job"])
def test_a_refusal_for_good_ends_the_call(bench: Bench, request_name: str) -> None:
    protect = bench.planned(Verb.PROTECT, VOLUME)
    bench.cloud.faults.plan(request_name, Refused("your quota is used up"))
    protect = bench.driven(protect)
    assert protect.outcome is not None
    if request_name == "create_job":
        assert protect.outcome.reason == "your quota is used up"
        assert bench.cloud.left_by(protect.id) == []
    else:
        assert protect.outcome.result is Result.SUCCEEDED
        assert protect.parked


def test_a_cancel_stops_the_work_and_undoes_it(bench: Bench) -> None:
    protect = bench.planned(Verb.PROTECT, VOLUME)
    outcome = driven(bench, protect, cancel_after=4)
    assert outcome.result is Result.CANCELLED
    assert bench.cloud.requests["cancel_job"] == 1
    assert bench.cloud.left_by(protect.id) == []


@pytest.mark.parametrize("how", ["fault", "cloud"])
def test_what_finishes_in_spite_of_a_cancel_is_undone(bench: Bench, how: str) -> None:
    protect = bench.planned(Verb.PROTECT, VOLUME)
    if how == "cloud":
        bench.cloud.heeds_cancel = False
    else:
        bench.cloud.faults.plan("create_job", IgnoresCancel())
    outcome = driven(bench, protect, cancel_after=4)
    assert outcome.result is Result.CANCELLED
    assert bench.cloud.copies() == []


def test_stalled_work_runs_into_the_deadline_and_is_cancelled(bench: Bench) -> None:
    protect = bench.planned(Verb.PROTECT, VOLUME)
    bench.cloud.faults.plan("create_job", Stall())
    bench.clock.advance(timedelta(minutes=59, seconds=30).total_seconds())
    outcome = driven(bench, protect)
    assert outcome.result is Result.FAILED
    assert "deadline" in outcome.reason
    assert bench.cloud.left_by(protect.id) == []


def test_slow_work_takes_as_long_as_planned(bench: Bench) -> None:
    protect = bench.planned(Verb.PROTECT, VOLUME)
    begun_at = bench.clock()
    bench.cloud.faults.plan("create_job", Slow(100))
    driven(bench, protect)
    assert bench.clock() - begun_at >= timedelta(seconds=100)


def test_work_that_a_restart_forgot_fails_and_is_undone(bench: Bench) -> None:
    protect = bench.planned(Verb.PROTECT, VOLUME)
    bench.cloud.faults.plan("list_jobs", Fine(), Restart(forgets_running=True))
    outcome = driven(bench, protect)
    assert outcome.result is Result.FAILED
    assert "no longer knows" in outcome.reason
    assert bench.cloud.left_by(protect.id) == []


def test_an_undo_that_fails_names_what_is_left(bench: Bench) -> None:
    protect = bench.planned(Verb.PROTECT, VOLUME)
    bench.cloud.faults.plan("create_job", FailWork("no space"), FailWork("the disk is gone"))
    outcome = driven(bench, protect)
    (leftover,) = outcome.leftovers
    assert [leftover.id] == bench.cloud.left_by(protect.id)
    assert "the disk is gone" in leftover.note


def test_faults_fire_in_order_and_only_for_their_operation(bench: Bench) -> None:
    first, second = bench.planned(Verb.PROTECT, VOLUME), bench.planned(Verb.PROTECT, VOLUME)
    bench.cloud.faults.plan("create_job", LostReply(), FailWork("planned"), operation=second.id)
    assert driven(bench, first).result is Result.SUCCEEDED
    assert len(bench.cloud.faults.unfired()) == 2
    assert driven(bench, second).result is Result.SUCCEEDED
    (unfired,) = bench.cloud.faults.unfired()
    assert unfired.fault == FailWork("planned")
    assert (unfired.request, unfired.operation) == ("create_job", second.id)


@pytest.mark.parametrize(("request_name", "faults"), [("make_job", (Busy(),)), ("create_job", ())])
def test_a_plan_that_could_never_fire_is_refused(
    bench: Bench, request_name: str, faults: tuple[Fault, ...]
) -> None:
    with pytest.raises(ValueError, match=request_name):
        bench.cloud.faults.plan(request_name, *faults)


def test_a_backend_object_that_follows_another_goes_on_with_its_work(bench: Bench) -> None:
    restore = bench.planned(Verb.RESTORE, bench.backup(PROJECT))
    for _ in range(2):
        restore = bench.driver().step(restore)
    assert restore.state is State.RUNNING
    bench.driver.cache_clear()
    lost_receipt = attrs.evolve(restore, receipt=None)
    assert left(bench, driven(bench, lost_receipt), restore)
    assert bench.cloud.started[restore.id, 1] == 1
