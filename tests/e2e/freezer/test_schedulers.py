"""Schedulers as the real API lists them: over several pages, by what they declare."""

import socket
from collections.abc import Iterator

import pytest

from karbor_backup_core import (
    Backend,
    InvalidInput,
    MemoryStore,
    Operation,
    OperationFuture,
    Resource,
    Result,
    Runner,
    State,
    Verb,
)
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.api import client as client_module
from karbor_backup_freezer.api import schedulers as schedulers_module
from karbor_backup_freezer.api.schedulers import Scheduler, SchedulerRegistry
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.workflows import reassignment
from sandbox.scheduler import CLIENT_ID
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
    wait_finished,
)
from tests.support.outcomes import get_outcome
from tests.support.schedulers import silent_scheduler
from tests.support.waiting import wait_until

COUNT = 7


@pytest.fixture
def new_clients(harness: FreezerHarness) -> Iterator[list[str]]:
    """Schedulers that have registered in a project of their own and do nothing."""
    adapter = harness.client("other")
    names = [f"{harness.top}-{number}" for number in range(COUNT)]
    for number, name in enumerate(names):
        modes = ["fs"] if number % 2 else ["nova"]
        document = {"client_id": name, "hostname": "new_clients", "supported_modes": modes}
        adapter._send("POST", "clients", json=document)
    yield names
    for name in names:
        adapter.delete_entry("clients", name)


def test_all_pages_of_schedulers_are_read(
    harness: FreezerHarness, new_clients: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAGE_SIZES", {**client_module.PAGE_SIZES, "clients": 3})
    listed = SchedulerRegistry(harness.client("other")).list_all()
    assert {s.client_id for s in listed} >= set(new_clients)


def test_scheduler_is_chosen_by_declared_capabilities(
    harness: FreezerHarness, new_clients: list[str]
) -> None:
    schedulers = SchedulerRegistry(harness.client("other"))
    able = schedulers.require_capable([{"action": "backup", "mode": "fs", "storage": "local"}])
    ours = [s.client_id for s in able if s.client_id in new_clients]
    assert ours == [name for number, name in enumerate(new_clients) if number % 2]
    with pytest.raises(InvalidInput, match=f"scheduler {new_clients[0]} on new_clients offers"):
        schedulers.get_named(new_clients[0], [{"mode": "fs"}])


def test_missing_scheduler_is_reported(harness: FreezerHarness) -> None:
    runner = harness.runner(scheduler="nobody")
    tree = Resource("Freezer::FileSystem::Directory", str(harness.tree()))
    operation = run_operation(runner, Verb.PROTECT, tree, {"backup_name": "nightly"})
    assert get_outcome(operation).result is Result.FAILED
    assert "'nobody' is not registered with Freezer" in get_outcome(operation).reason
    assert harness.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}


@pytest.fixture
def ghost(harness: FreezerHarness) -> Iterator[str]:
    """Yield a scheduler of this host that has registered and asks for no jobs."""
    name, here = f"{harness.top}-ghost", socket.gethostname()
    with silent_scheduler(harness.client(), name, here) as client_id:
        yield client_id


@pytest.fixture
def ghost_first(ghost: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let jobs be given to the ghost, and soon to the sandbox's scheduler; return the ghost."""
    known = SchedulerRegistry.list_all

    def list_own(registry: SchedulerRegistry) -> list[Scheduler]:
        # Other tests register schedulers of their own at the same API, and remove them again.
        return [each for each in known(registry) if each.client_id in (ghost, CLIENT_ID)]

    monkeypatch.setattr(SchedulerRegistry, "list_all", list_own)
    monkeypatch.setattr(reassignment, "PICKUP_TIMEOUT", 3.0)
    monkeypatch.setattr(reassignment, "STOP_GRACE", 3.0)
    monkeypatch.setattr(schedulers_module, "_tie_breaker", lambda _, client: str(client != ghost))
    return ghost


def test_job_of_a_dead_scheduler_is_run_by_another(
    clean_harness: FreezerHarness, ghost_first: str
) -> None:
    ghost = ghost_first
    configuration = clean_harness.configuration()
    del configuration["scheduler"]
    backend = Backend.load("freezer", FreezerBackend, configuration)
    changes: list[Operation] = []
    with Runner(
        MemoryStore(),
        {"freezer": backend},
        policy=clean_harness.runner_policy,
        on_change=changes.append,
    ) as runner:
        backup = protect_directory(runner, clean_harness.tree())
        chosen = [Receipt.from_operation(operation).client for operation in changes]
        assert ghost in chosen
        assert chosen[-1] != ghost
        assert backup.handle["client"] == chosen[-1]
        assert_succeeded(run_operation(runner, Verb.VERIFY, backup))
        assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def begin_for_ghost(harness: FreezerHarness, runner: Runner) -> OperationFuture:
    """Start a protect whose job waits for a scheduler that is removed from Freezer's list."""
    target = Resource("Freezer::FileSystem::Directory", str(harness.tree()))
    begun = runner.protect("freezer", target, {"backup_name": "nightly"})
    wait_until(lambda: harness.client().get_job(job_id(begun.id)))
    harness.client().delete_entry("clients", f"{harness.top}-ghost")
    return begun


def test_job_of_a_scheduler_that_was_removed_is_run_by_another(
    clean_harness: FreezerHarness, ghost_first: str
) -> None:
    configuration = clean_harness.configuration()
    del configuration["scheduler"]
    backend = Backend.load("freezer", FreezerBackend, configuration)
    with Runner(MemoryStore(), [backend], policy=clean_harness.runner_policy) as runner:
        begun = begin_for_ghost(clean_harness, runner)
        ended = wait_finished(runner, begun)
        assert_succeeded(ended)
        assert Receipt.from_operation(ended).client == CLIENT_ID != ghost_first
        assert_succeeded(run_operation(runner, Verb.DELETE, runner.store.backup(begun.id)))


def test_protect_for_a_scheduler_that_was_removed_is_cancelled(
    clean_harness: FreezerHarness, ghost: str
) -> None:
    runner = clean_harness.runner(scheduler=ghost)
    begun = begin_for_ghost(clean_harness, runner)
    runner.cancel(begun.id)
    ended = wait_finished(runner, begun)
    assert ended.state is State.RELEASED
    assert get_outcome(ended).result is Result.CANCELLED
    assert get_outcome(ended).leftovers == ()
