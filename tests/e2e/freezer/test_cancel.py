"""Cancelling: before a scheduler takes the job up, while its agent runs, and what is left."""

import time
from typing import Any

from karbor_backup_core import Operation, Resource, Result, State, Verb
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.jobs import Job, Stage

DIRECTORY = "Freezer::FileSystem::Directory"


def _await_stage(bench: Any, operation: Operation, stage: Stage) -> None:
    client = bench.client()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        document = client.job(job_id(operation.id))
        if document is not None and Job.read(document).stage is stage:
            return
        time.sleep(0.05)
    raise AssertionError(f"the job never was {stage}")


def test_a_protect_cancelled_before_it_runs_never_runs(spotless: Any, do: Any) -> None:
    runner = spotless.runner()
    target = Resource(DIRECTORY, str(spotless.tree()))
    begun = runner.begin("freezer", Verb.PROTECT, target, {"backup_name": "nightly"})
    _await_stage(spotless, begun, Stage.WAITING)
    runner.cancel(begun.id)
    ended = do.finish(runner, begun)
    assert ended.state is State.RELEASED
    assert ended.outcome.result is Result.CANCELLED
    assert ended.outcome.leftovers == ()


def test_a_protect_cancelled_while_its_agent_runs_is_undone(spotless: Any, do: Any) -> None:
    runner = spotless.runner()
    tree = spotless.tree(content=b"x" * 30_000_000)
    begun = runner.begin(
        "freezer", Verb.PROTECT, Resource(DIRECTORY, str(tree)), {"backup_name": "nightly"}
    )
    _await_stage(spotless, begun, Stage.RUNNING)
    runner.cancel(begun.id)
    ended = do.finish(runner, begun)
    assert ended.state is State.RELEASED
    assert ended.outcome.result is Result.CANCELLED
    assert ended.outcome.leftovers == ()


def test_a_job_that_somebody_stops_in_freezer_fails_and_is_undone(spotless: Any, do: Any) -> None:
    runner = spotless.runner()
    target = Resource(DIRECTORY, str(spotless.tree()))
    begun = runner.begin("freezer", Verb.PROTECT, target, {"backup_name": "nightly"})
    _await_stage(spotless, begun, Stage.WAITING)
    spotless.client().stop_job(job_id(begun.id))
    ended = do.finish(runner, begun)
    assert ended.state is State.RELEASED
    assert ended.outcome.result is Result.FAILED
    assert "stopped in Freezer by somebody" in ended.outcome.reason
    assert ended.outcome.leftovers == ()
