"""What can be planned to go wrong, and what is left afterwards."""

from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, Result, State, Verb
from karbor_backup_fake._model import Unavailable
from karbor_backup_fake.faults import (
    Busy,
    CloudFault,
    DuplicateRequest,
    FailJob,
    IgnoreCancel,
    LostReply,
    NoFault,
    Refused,
    Restart,
    SlowJob,
    StallJob,
)
from tests.backends.fake.harness import PROJECT, SERVER, VOLUME, DriverHarness


def drive_to_release(harness: DriverHarness, operation: Operation, **how: int) -> Outcome:
    """Drive an operation to its release; answer its outcome."""
    operation = harness.drive(operation, **how)
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert harness.cloud.orphans == []
    assert harness.cloud.jobs(operation.id) == []
    return operation.outcome


def leaves_exactly_named(harness: DriverHarness, outcome: Outcome, operation: Operation) -> bool:
    """Return whether exactly what the outcome names is left of an operation."""
    wanted = [resource.id for resource in outcome.resources[:1]]  # members are inside it
    if outcome.backup is not None:
        wanted.append(outcome.backup.handle["copy"])
    return harness.cloud.remaining_ids(operation.id) == wanted


@pytest.mark.parametrize("verb", [Verb.PROTECT, Verb.RESTORE], ids=str)
@pytest.mark.parametrize("request_name", ["create_job", "list_jobs", "list_made", "delete_job"])
@pytest.mark.parametrize(
    "fault",
    [LostReply(), Busy(), Busy(retry_after=40), Restart(), DuplicateRequest(), NoFault()],
    ids=repr,
)
def test_transient_fault_only_delays_the_operation(
    harness: DriverHarness, verb: Verb, request_name: str, fault: CloudFault
) -> None:
    target = SERVER if verb is Verb.PROTECT else harness.protect(SERVER)
    planned = harness.add_operation(verb, target)
    harness.cloud.faults.plan(request_name, fault)
    outcome = drive_to_release(harness, planned)
    assert outcome.result is Result.SUCCEEDED
    assert leaves_exactly_named(harness, outcome, planned)
    assert harness.cloud.faults.unfired() == ()
    if not isinstance(fault, DuplicateRequest):
        assert set(harness.cloud.started.values()) == {1}


def test_second_job_of_a_duplicate_request_is_removed(harness: DriverHarness) -> None:
    protect = harness.add_operation(Verb.PROTECT, SERVER)
    harness.cloud.faults.plan("create_job", DuplicateRequest(), operation=protect.id)
    outcome = drive_to_release(harness, protect)
    assert harness.cloud.started[protect.id, 1] == 2
    assert leaves_exactly_named(harness, outcome, protect)
    assert len(harness.cloud.copies()) == 2  # of the server and of its volume


@pytest.mark.parametrize("verb", [Verb.PROTECT, Verb.RESTORE], ids=str)
@pytest.mark.parametrize("failing_phase", [1, 2, 3])
def test_failed_work_is_rolled_back(harness: DriverHarness, verb: Verb, failing_phase: int) -> None:
    target = PROJECT if verb is Verb.PROTECT else harness.protect(PROJECT)
    before = (dict(harness.cloud.inventory.assets), harness.cloud.copies())
    planned = harness.add_operation(verb, target, phases=3)
    faults = [NoFault()] * (failing_phase - 1)
    harness.cloud.faults.plan("create_job", *faults, FailJob("no space"), operation=planned.id)
    outcome = drive_to_release(harness, planned, phases=3)
    assert outcome.result is Result.FAILED
    assert outcome.reason == "no space"
    assert (dict(harness.cloud.inventory.assets), harness.cloud.copies()) == before


def test_failed_member_fails_the_operation_and_is_named(harness: DriverHarness) -> None:
    protect = harness.add_operation(Verb.PROTECT, PROJECT)
    harness.cloud.faults.plan("create_job", FailJob("no space", member="volume-2"))
    outcome = drive_to_release(harness, protect)
    assert outcome.result is Result.FAILED
    assert [(part.resource.id, part.result, part.reason) for part in outcome.parts] == [
        ("server-1", Result.SUCCEEDED, ""),
        ("volume-2", Result.FAILED, "no space"),
    ]
    assert leaves_exactly_named(harness, outcome, protect)


@pytest.mark.parametrize("request_name", ["create_job", "delete_job"])
def test_permanent_refusal_ends_the_call(harness: DriverHarness, request_name: str) -> None:
    protect = harness.add_operation(Verb.PROTECT, VOLUME)
    harness.cloud.faults.plan(request_name, Refused("your quota is used up"))
    protect = harness.drive(protect)
    assert protect.outcome is not None
    if request_name == "create_job":
        assert protect.outcome.reason == "your quota is used up"
        assert harness.cloud.remaining_ids(protect.id) == []
    else:
        assert protect.outcome.result is Result.SUCCEEDED
        assert protect.suspended


def test_cancel_stops_the_work_and_rolls_it_back(harness: DriverHarness) -> None:
    protect = harness.add_operation(Verb.PROTECT, VOLUME)
    outcome = drive_to_release(harness, protect, cancel_after=4)
    assert outcome.result is Result.CANCELLED
    assert harness.cloud.requests["cancel_job"] == 1
    assert harness.cloud.remaining_ids(protect.id) == []


@pytest.mark.parametrize("how", ["fault", "cloud"])
def test_work_finished_after_a_cancel_is_rolled_back(harness: DriverHarness, how: str) -> None:
    protect = harness.add_operation(Verb.PROTECT, VOLUME)
    if how == "cloud":
        harness.cloud.heeds_cancel = False
    else:
        harness.cloud.faults.plan("create_job", IgnoreCancel())
    outcome = drive_to_release(harness, protect, cancel_after=4)
    assert outcome.result is Result.CANCELLED
    assert harness.cloud.copies() == []


def test_stalled_work_is_cancelled_at_its_deadline(harness: DriverHarness) -> None:
    protect = harness.add_operation(Verb.PROTECT, VOLUME)
    harness.cloud.faults.plan("create_job", StallJob())
    harness.clock.advance(timedelta(minutes=59, seconds=30).total_seconds())
    outcome = drive_to_release(harness, protect)
    assert outcome.result is Result.FAILED
    assert "deadline" in outcome.reason
    assert harness.cloud.remaining_ids(protect.id) == []


def test_slow_work_takes_as_long_as_planned(harness: DriverHarness) -> None:
    protect = harness.add_operation(Verb.PROTECT, VOLUME)
    begun_at = harness.clock()
    harness.cloud.faults.plan("create_job", SlowJob(100))
    drive_to_release(harness, protect)
    assert harness.clock() - begun_at >= timedelta(seconds=100)


def test_work_lost_by_a_restart_fails_and_is_rolled_back(harness: DriverHarness) -> None:
    protect = harness.add_operation(Verb.PROTECT, VOLUME)
    harness.cloud.faults.plan("list_jobs", NoFault(), Restart(forgets_running=True))
    outcome = drive_to_release(harness, protect)
    assert outcome.result is Result.FAILED
    assert "no longer knows" in outcome.reason
    assert harness.cloud.remaining_ids(protect.id) == []


def test_failed_rollback_names_its_leftovers(harness: DriverHarness) -> None:
    protect = harness.add_operation(Verb.PROTECT, VOLUME)
    harness.cloud.faults.plan("create_job", FailJob("no space"), FailJob("the disk is gone"))
    outcome = drive_to_release(harness, protect)
    (leftover,) = outcome.leftovers
    assert [leftover.id] == harness.cloud.remaining_ids(protect.id)
    assert "the disk is gone" in leftover.note


def test_faults_fire_in_order_and_only_for_their_operation(harness: DriverHarness) -> None:
    first, second = (
        harness.add_operation(Verb.PROTECT, VOLUME),
        harness.add_operation(Verb.PROTECT, VOLUME),
    )
    harness.cloud.faults.plan("create_job", LostReply(), FailJob("planned"), operation=second.id)
    assert drive_to_release(harness, first).result is Result.SUCCEEDED
    assert len(harness.cloud.faults.unfired()) == 2
    assert drive_to_release(harness, second).result is Result.SUCCEEDED
    (unfired,) = harness.cloud.faults.unfired()
    assert unfired.fault == FailJob("planned")
    assert (unfired.request, unfired.operation) == ("create_job", second.id)


@pytest.mark.parametrize(("request_name", "faults"), [("make_job", (Busy(),)), ("create_job", ())])
def test_fault_that_can_never_fire_is_refused(
    harness: DriverHarness, request_name: str, faults: tuple[CloudFault, ...]
) -> None:
    with pytest.raises(ValueError, match=request_name):
        harness.cloud.faults.plan(request_name, *faults)


def test_new_backend_object_continues_the_work_of_another(
    harness: DriverHarness,
) -> None:
    restore = harness.add_operation(Verb.RESTORE, harness.protect(PROJECT))
    for _ in range(2):
        restore = harness.driver().step(restore)
    assert restore.state is State.RUNNING
    harness.driver.cache_clear()
    lost_receipt = attrs.evolve(restore, receipt=None)
    assert leaves_exactly_named(harness, drive_to_release(harness, lost_receipt), restore)
    assert harness.cloud.started[restore.id, 1] == 1


@pytest.mark.parametrize(("requests", "met"), [(2, False), (3, True), (4, True)])
def test_fault_planned_at_a_request_meets_only_that_one(
    harness: DriverHarness, requests: int, *, met: bool
) -> None:
    withdraw = harness.cloud.faults.plan_at(3, Busy())
    answers = []
    for _ in range(requests):
        try:
            harness.cloud.check()
        except Unavailable:
            answers.append("busy")
        else:
            answers.append("up")
    assert answers == ["up", "up", "busy", "up"][:requests]
    assert withdraw() is met
    assert not harness.cloud.faults.unfired()
    harness.cloud.check()
