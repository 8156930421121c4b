"""Another process goes on where one has let go: with the store and the receipt alone."""

import time
from typing import Any

import pytest

from karbor_backup_core import Resource, State, Verb
from karbor_backup_core.runner import Runner
from karbor_backup_core.stores.memory import MemoryStore

DIRECTORY = "Freezer::FileSystem::Directory"


@pytest.mark.parametrize("reached", [State.SUBMITTING, State.RUNNING])
def test_a_protect_is_gone_on_with_and_not_doubled(spotless: Any, do: Any, reached: State) -> None:
    store = MemoryStore()
    target = Resource(DIRECTORY, str(spotless.tree()))
    with Runner(store, {"freezer": spotless.backend()}) as first:
        begun = first.begin("freezer", Verb.PROTECT, target, {"backup_name": "nightly"})
        while reached is State.RUNNING and store.operation(begun.id).state is not reached:
            time.sleep(0.05)
    assert not store.operation(begun.id).finished

    with Runner(store, {"freezer": spotless.backend()}) as second:
        second.resume(begun.id)
        ended = do.finish(second, begun)
        do.succeeded(ended)
        assert len(spotless.left_in_freezer()["backups"]) == 1
        do.succeeded(do.run(second, Verb.DELETE, ended.outcome.backup))
