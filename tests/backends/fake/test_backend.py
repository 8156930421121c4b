"""How the fake backend keeps the contract's finer rules, asked directly or behind the core."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    BackendError,
    InvalidDocument,
    Operation,
    Outcome,
    ProgressState,
    Resource,
    Result,
    State,
    Transient,
    Unsupported,
    Verb,
)
from karbor_backup_fake import FakeBackend, FakeCloud, named_cloud
from karbor_backup_fake.faults import Busy, Refused
from tests.backends.fake.harness import VOLUME, DriverHarness
from tests.support.strategies import operation

TOKEN = "canary-51c2"  # noqa: S105 - it is planted to be searched for

_names = (f"test {number}" for number in itertools.count())


def submitting_protect(operation_id: str = "op-1", **changes: Any) -> Operation:
    """Return a protect of a volume whose first phase is being submitted."""
    plain = operation(id=operation_id, resource=VOLUME, state=State.SUBMITTING, phase=1, attempt=1)
    return attrs.evolve(plain, **changes)


@pytest.fixture
def cloud(harness: DriverHarness) -> FakeCloud:
    """Return a furnished cloud whose jobs take 5 seconds."""
    return harness.cloud


@pytest.fixture
def fake(cloud: FakeCloud) -> FakeBackend:
    """Return a backend on that cloud."""
    return FakeBackend({}, cloud=cloud)


def test_a_poll_costs_one_request_however_many_operations(
    fake: FakeBackend, cloud: FakeCloud
) -> None:
    operations = [submitting_protect(f"op-{number}") for number in range(50)]
    submitted = [attrs.evolve(each, receipt=fake.protect(each).receipt) for each in operations]
    cloud.requests.clear()
    answers = fake.poll(submitted)
    assert set(answers) == {each.id for each in operations}
    assert dict(cloud.requests) == {"list_jobs": 1}


def test_poll_reports_progress(fake: FakeBackend, harness: DriverHarness) -> None:
    fake.protect(submitting_protect())
    percentages = []
    for _ in range(6):
        answer = fake.poll([submitting_protect()])["op-1"]
        percentages.append((answer.state, answer.done, answer.total))
        harness.clock.advance(1)
    size = len(harness.cloud.read_content(VOLUME.id))
    assert [done for _, done, _ in percentages] == [int(size * n / 5) for n in range(6)]
    assert {total for _, _, total in percentages} == {size}
    assert [state for state, _, _ in percentages] == [ProgressState.RUNNING] * 5 + [
        ProgressState.SUCCEEDED
    ]


def test_unknown_is_returned_only_after_a_request_for_that_operation(
    fake: FakeBackend, cloud: FakeCloud
) -> None:
    assert fake.poll([submitting_protect()])["op-1"].state is ProgressState.UNKNOWN
    assert cloud.requests["find_jobs"] == 1


def test_job_of_another_phase_is_not_used(fake: FakeBackend) -> None:
    fake.protect(submitting_protect())
    assert fake.poll([submitting_protect(phase=2)])["op-1"].state is ProgressState.UNKNOWN


def test_failed_operation_does_not_affect_the_others_in_a_poll(
    fake: FakeBackend, cloud: FakeCloud
) -> None:
    fake.protect(submitting_protect("well"))
    cloud.faults.plan("find_jobs", Refused("not yours"), operation="refused")
    newer = submitting_protect("newer", receipt={"version": 2})
    answers = fake.poll([submitting_protect("refused"), newer, submitting_protect("well")])
    assert answers["refused"].state is ProgressState.FAILED
    assert answers["refused"].reason == "not yours"
    assert answers["newer"].state is ProgressState.FAILED
    assert "version 2" in answers["newer"].reason
    assert answers["well"].state is ProgressState.RUNNING


@pytest.mark.parametrize("request_name", ["list_jobs", "find_jobs"])
def test_poll_of_a_busy_cloud_raises_transient(
    fake: FakeBackend, cloud: FakeCloud, request_name: str
) -> None:
    cloud.faults.plan(request_name, Busy(retry_after=7))
    with pytest.raises(Transient) as refused:
        fake.poll([submitting_protect()])
    assert refused.value.retry_after == 7


def test_only_a_repeated_attempt_searches_for_the_job(fake: FakeBackend, cloud: FakeCloud) -> None:
    first = fake.protect(submitting_protect())
    assert cloud.requests["find_jobs"] == 0
    again = fake.protect(submitting_protect(attempt=2))
    assert again == first
    assert cloud.started["op-1", 1] == 1
    fake.protect(submitting_protect("op-2", attempt=2))
    assert cloud.started["op-2", 1] == 1


def test_cancel_returns_whether_a_job_was_stopped(fake: FakeBackend) -> None:
    assert fake.cancel(submitting_protect()) is False
    fake.protect(submitting_protect())
    assert fake.cancel(submitting_protect()) is True
    assert fake.poll([submitting_protect()])["op-1"].state is ProgressState.CANCELLED
    assert fake.cancel(submitting_protect()) is False


def test_release_waits_for_running_work(fake: FakeBackend, harness: DriverHarness) -> None:
    fake.protect(submitting_protect())
    over = submitting_protect(state=State.RELEASING, outcome=Outcome(Result.FAILED))
    for expected in [ProgressState.RUNNING] * 5 + [ProgressState.READY]:
        assert fake.poll([over])["op-1"].state is expected
        if expected is ProgressState.RUNNING:
            assert fake.release(over).state is ProgressState.RUNNING
            assert len(harness.cloud.jobs()) == 1
        harness.clock.advance(1)
    assert harness.cloud.orphans == []


def test_repeated_release_does_nothing(fake: FakeBackend, harness: DriverHarness) -> None:
    backup = harness.protect(VOLUME)
    over = submitting_protect(
        backup.id, state=State.RELEASING, outcome=Outcome(Result.SUCCEEDED, backup=backup), fence=1
    )
    assert fake.release(over) == fake.release(over)
    assert harness.cloud.remaining_ids(backup.id) == [backup.handle["copy"]]


def test_a_type_that_is_not_declared_is_refused_without_a_request(
    fake: FakeBackend, cloud: FakeCloud
) -> None:
    with pytest.raises(Unsupported, match="OS::Manila::Share"):
        fake.protect(submitting_protect(resource=Resource("OS::Manila::Share", "share-1")))
    assert not cloud.requests


def test_a_handle_of_a_newer_release_is_refused(fake: FakeBackend, harness: DriverHarness) -> None:
    newer = attrs.evolve(harness.protect(VOLUME), handle={"version": 9, "copy": "copy-1"})
    with pytest.raises(BackendError, match="version 9"):
        fake.restore(submitting_protect(verb=Verb.RESTORE, backup=newer))


def test_health_reports_whether_the_cloud_answers(fake: FakeBackend, cloud: FakeCloud) -> None:
    assert fake.check().ok
    cloud.faults.plan("check", Busy())
    unwell = fake.check()
    assert not unwell.ok
    assert unwell.summary == "the cloud is busy"


def test_a_configured_backend_finds_its_cloud_by_name() -> None:
    name = next(_names)
    backend = Backend.load("here", FakeBackend, {"cloud": name, "service_seconds": 60})
    assert backend.scope() == f"fake:{name}"
    assert named_cloud(name).service_seconds == 60
    assert backend.call_verb(submitting_protect()).state is ProgressState.RUNNING
    assert [job.operation for job in named_cloud(name).jobs()] == ["op-1"]


def test_cloud_without_delays_completes_at_once() -> None:
    backend = Backend.load("here", FakeBackend, {"cloud": next(_names), "phases": {"protect": 2}})
    assert backend.call_verb(submitting_protect()).state is ProgressState.READY
    assert backend.call_verb(submitting_protect(phase=2)).state is ProgressState.SUCCEEDED


@pytest.mark.parametrize(
    "configuration",
    [
        {"cloud": ""},
        {"clowd": "x"},
        {"service_seconds": -1},
        {"phases": {"protect": 0}},
        {"phases": {"move": 1}},
        {"token": 5},
    ],
)
def test_invalid_configuration_is_refused(configuration: dict[str, object]) -> None:
    with pytest.raises(InvalidDocument):
        Backend.load("here", FakeBackend, configuration)


def test_token_is_passed_to_the_cloud_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = next(_names)
    named_cloud(name).token = TOKEN
    monkeypatch.setenv("FAKE_TOKEN", TOKEN)
    backend = Backend.load("here", FakeBackend, {"cloud": name, "token": {"env": "FAKE_TOKEN"}})
    assert backend.health().ok
    assert TOKEN not in repr(backend.call_verb(submitting_protect()))


def test_a_wrong_token_is_refused_without_being_repeated() -> None:
    name = next(_names)
    named_cloud(name).token = "another"  # noqa: S105 - not one
    backend = Backend.load("here", FakeBackend, {"cloud": name, "token": TOKEN})
    health = backend.health()
    assert not health.ok
    assert TOKEN not in repr(health)
    with pytest.raises(BackendError, match="token") as refused:
        backend.call_verb(submitting_protect())
    assert TOKEN not in str(refused.value)


def test_many_threads_can_use_one_cloud(fake: FakeBackend, cloud: FakeCloud) -> None:
    start = threading.Barrier(8)

    def protect_and_release(number: int) -> None:
        start.wait()
        for round_ in range(20):
            mine = submitting_protect(f"op-{number}-{round_}")
            fake.protect(mine)
            fake.cancel(mine)
            over = attrs.evolve(mine, outcome=Outcome(Result.CANCELLED))
            fake.release(over)

    cloud.service_seconds = 0
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(protect_and_release, range(8)))
    assert cloud.copies() == []
    assert len(cloud.started) == 2 * 8 * 20
    assert set(cloud.started.values()) == {1}


def test_gate_is_called_before_and_after_every_request(fake: FakeBackend, cloud: FakeCloud) -> None:
    passed: list[str] = []
    cloud.gate = passed.append
    fake.protect(submitting_protect())
    fake.poll([submitting_protect()])
    assert passed == ["create_job asked", "create_job done", "list_jobs asked", "list_jobs done"]
