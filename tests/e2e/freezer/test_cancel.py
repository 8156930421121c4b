"""Cancelling: before a scheduler takes the job up, while its agent runs, and what is left."""

from karbor_backup_core import MemoryStore, OperationFuture, Resource, Result, State
from karbor_backup_freezer.api.jobs import Job, JobState
from karbor_backup_freezer.model.ids import job_id
from tests.e2e.freezer.harness import FreezerHarness, wait_finished
from tests.support.outcomes import get_outcome
from tests.support.schedulers import CLOUD, held_agents, paused_scheduler
from tests.support.waiting import wait_until

DIRECTORY = "Freezer::FileSystem::Directory"


def _wait_for_job_state(
    harness: FreezerHarness, operation: OperationFuture, state: JobState, cloud: str = "demo"
) -> None:
    client = harness.client(cloud)

    def is_reached() -> bool:
        document = client.get_job(job_id(operation.id))
        return document is not None and Job.from_document(document).state is state

    wait_until(is_reached)


def test_a_protect_cancelled_before_it_runs_never_runs(clean_harness: FreezerHarness) -> None:
    runner = clean_harness.runner()
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    with paused_scheduler(clean_harness.sandbox):
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
    store, client_id = MemoryStore(), clean_harness.top
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    with held_agents(clean_harness.sandbox, client_id, clean_harness.folder) as let_go:
        runner = clean_harness.runner(store=store, cloud=CLOUD, scheduler=client_id)
        begun = runner.protect("freezer", target, {"backup_name": "nightly"})
        _wait_for_job_state(clean_harness, begun, JobState.RUNNING, CLOUD)
        runner.cancel(begun.id)
        wait_until(lambda: store.operation(begun.id).cancel_sent)
        let_go()
        ended = wait_finished(runner, begun)
    assert ended.state is State.RELEASED
    assert get_outcome(ended).result is Result.CANCELLED
    assert get_outcome(ended).leftovers == ()
    assert clean_harness.left_in_freezer(CLOUD) == {"jobs": [], "actions": [], "backups": []}


def test_job_stopped_in_freezer_fails_and_is_rolled_back(
    clean_harness: FreezerHarness,
) -> None:
    runner = clean_harness.runner()
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    with paused_scheduler(clean_harness.sandbox):
        begun = runner.protect("freezer", target, {"backup_name": "nightly"})
        _wait_for_job_state(clean_harness, begun, JobState.WAITING)
        clean_harness.client().stop_job(job_id(begun.id))
    ended = wait_finished(runner, begun)
    assert ended.state is State.RELEASED
    assert get_outcome(ended).result is Result.FAILED
    assert "stopped in Freezer by somebody" in get_outcome(ended).reason
    assert get_outcome(ended).leftovers == ()
