"""Requests of a process that was paused, and goes on when the operation is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, Resource, Result, State, Transient, Verb
from karbor_backup_freezer.model.ids import job_id
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
)

DIRECTORY = "Freezer::FileSystem::Directory"


def _submitting(harness: FreezerHarness, verb: Verb, backup: Any) -> Operation:
    now = datetime.now(UTC)
    return Operation(
        id=f"{harness.top}-{verb}",
        verb=verb,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource(DIRECTORY, backup.resource.id),
        options={"overwrite": True, "restore_name": "back"}
        if verb is Verb.RESTORE
        else {"backup_name": "nightly"},
        backup=None if verb is Verb.PROTECT else backup,
        created_at=now,
        submitted_at=now,
        deadline=now + timedelta(hours=1),
        state=State.SUBMITTING,
        phase=1,
        attempt=1,
    )


@pytest.mark.parametrize("verb", [Verb.PROTECT, Verb.RESTORE, Verb.DELETE])
def test_call_after_release_creates_no_job(harness: FreezerHarness, verb: Verb) -> None:
    runner = harness.runner()
    tree = harness.tree()
    backup = protect_directory(runner, tree)
    (tree / "file").write_bytes(b"written since")
    before = harness.left_in_freezer()
    paused = _submitting(harness, verb, backup)
    cancelled = attrs.evolve(
        paused, state=State.RELEASING, attempt=2, outcome=Outcome(Result.CANCELLED)
    )
    assert harness.backend().release(cancelled).leftovers == ()

    with pytest.raises(Transient, match="another process has finished with it"):
        harness.backend().call_verb(paused)

    assert harness.client().get_job(job_id(paused.id)) is None
    assert harness.left_in_freezer() == before
    assert (tree / "file").read_bytes() == b"written since"
    assert_succeeded(run_operation(runner, Verb.VERIFY, backup))


def test_repeated_release_uses_the_id_up_once(harness: FreezerHarness) -> None:
    backup = protect_directory(harness.runner(), harness.tree())
    paused = _submitting(harness, Verb.PROTECT, backup)
    ended = attrs.evolve(paused, state=State.RELEASING, outcome=Outcome(Result.CANCELLED))
    for _ in range(2):
        assert harness.backend().release(ended).leftovers == ()
    assert not harness.client().create_job(
        {
            "job_id": job_id(paused.id),
            "client_id": "node1",
            "job_schedule": {},
            "job_actions": [],
        }
    )
