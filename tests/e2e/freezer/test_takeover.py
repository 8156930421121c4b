"""Another process goes on where one has let go: with the store and the receipt alone."""

import pytest

from karbor_backup_core import MemoryStore, Resource, Runner, State, Verb
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded, run_operation, wait_finished
from tests.support.outcomes import get_backup
from tests.support.schedulers import paused_scheduler
from tests.support.waiting import wait_until

DIRECTORY = "Freezer::FileSystem::Directory"


@pytest.mark.parametrize("reached", [State.SUBMITTING, State.RUNNING])
def test_takeover_continues_a_protect_with_one_job(
    clean_harness: FreezerHarness, reached: State
) -> None:
    store = MemoryStore()
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    # Its job does not end before the first process has let go.
    with paused_scheduler(clean_harness.sandbox):
        with Runner(store, {"freezer": clean_harness.backend()}) as first:
            begun = first.protect("freezer", target, {"backup_name": "nightly"})
            if reached is State.RUNNING:
                wait_until(lambda: store.operation(begun.id).state is reached)
        assert not store.operation(begun.id).finished

    with Runner(store, {"freezer": clean_harness.backend()}) as second:
        second.resume(begun.id)
        ended = wait_finished(second, begun)
        assert_succeeded(ended)
        assert len(clean_harness.left_in_freezer()["backups"]) == 1
        assert_succeeded(run_operation(second, Verb.DELETE, get_backup(ended)))
