"""Requests of a process that was paused, and goes on when the operation is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, Resource, Result, State, Transient, Verb
from karbor_backup_freezer.identifiers import job_id

DIRECTORY = "Freezer::FileSystem::Directory"


def _submitting(bench: Any, verb: Verb, backup: Any) -> Operation:
    now = datetime.now(UTC)
    return Operation(
        id=f"{bench.top}-{verb}",
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
def test_call_after_release_creates_no_job(bench: Any, do: Any, verb: Verb) -> None:
    runner = bench.runner()
    tree = bench.tree()
    backup = do.protect(runner, tree)
    (tree / "file").write_bytes(b"written since")
    before = bench.left_in_freezer()
    paused = _submitting(bench, verb, backup)
    cancelled = attrs.evolve(
        paused, state=State.RELEASING, attempt=2, outcome=Outcome(Result.CANCELLED)
    )
    assert bench.backend().release(cancelled).leftovers == ()

    with pytest.raises(Transient, match="another process has finished with it"):
        bench.backend().call(paused)

    assert bench.client().job(job_id(paused.id)) is None
    assert bench.left_in_freezer() == before
    assert (tree / "file").read_bytes() == b"written since"
    do.succeeded(do.run(runner, Verb.VERIFY, backup))


def test_release_again_uses_the_id_up_once(bench: Any, do: Any) -> None:
    backup = do.protect(bench.runner(), bench.tree())
    paused = _submitting(bench, Verb.PROTECT, backup)
    ended = attrs.evolve(paused, state=State.RELEASING, outcome=Outcome(Result.CANCELLED))
    for _ in range(2):
        assert bench.backend().release(ended).leftovers == ()
    assert not bench.client().create_job(
        {
            "job_id": job_id(paused.id),
            "client_id": "node1",
            "job_schedule": {},
            "job_actions": [],
        }
    )
