"""Cancelling: before a scheduler takes the job up, while its agent runs, and what is left."""

import time

from karbor_backup_core import OperationFuture, Resource, Result, State
from karbor_backup_freezer.api.jobs import Job, JobState
from karbor_backup_freezer.model.ids import job_id
from tests.e2e.freezer.harness import FreezerHarness, wait_finished
from tests.support.outcomes import get_outcome

DIRECTORY = "Freezer::FileSystem::Directory"


def _wait_for_job_state(
    harness: FreezerHarness, operation: OperationFuture, state: JobState
) -> None:
    client = harness.client()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        document = client.get_job(job_id(operation.id))
        if document is not None and Job.from_document(document).state is state:
            return
        time.sleep(0.05)
    raise AssertionError(f"the job never was {state}")


def test_a_protect_cancelled_before_it_runs_never_runs(clean_harness: FreezerHarness) -> None:
    runner = clean_harness.runner()
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    with clean_harness.paused_scheduler():
        begun = runner.protect("freezer", target, {"backup_name": "nightly"})
        _wait_for_job_state(clean_harness, begun, JobState.WAITING)
        runner.cancel(begun.id)
        _wait_for_job_state(clean_harness, begun, JobState.HALTED)
    ended = wait_finished(runner, begun)
    assert ended.state is State.RELEASED
    assert get_outcome(ended).result is Result.CANCELLED
    assert get_outcome(ended).leftovers == ()


def test_protect_cancelled_while_its_agent_runs_is_rolled_back(
    clean_harness: FreezerHarness,
) -> None:
    runner = clean_harness.runner()
    tree = clean_harness.tree(content=b"x" * 30_000_000)
    begun = runner.protect("freezer", Resource(DIRECTORY, str(tree)), {"backup_name": "nightly"})
    _wait_for_job_state(clean_harness, begun, JobState.RUNNING)
    runner.cancel(begun.id)
    ended = wait_finished(runner, begun)
    assert ended.state is State.RELEASED
    assert get_outcome(ended).result is Result.CANCELLED
    assert get_outcome(ended).leftovers == ()


def test_job_stopped_in_freezer_fails_and_is_rolled_back(
    clean_harness: FreezerHarness,
) -> None:
    runner = clean_harness.runner()
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    with clean_harness.paused_scheduler():
        begun = runner.protect("freezer", target, {"backup_name": "nightly"})
        _wait_for_job_state(clean_harness, begun, JobState.WAITING)
        clean_harness.client().stop_job(job_id(begun.id))
    ended = wait_finished(runner, begun)
    assert ended.state is State.RELEASED
    assert get_outcome(ended).result is Result.FAILED
    assert "stopped in Freezer by somebody" in get_outcome(ended).reason
    assert get_outcome(ended).leftovers == ()
