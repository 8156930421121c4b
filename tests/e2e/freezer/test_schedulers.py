"""Schedulers as the real API lists them: over several pages, by what they declare."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from karbor_backup_core import Backend, InvalidInput, MemoryStore, Operation, Runner, Verb
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer import client as client_module
from karbor_backup_freezer import schedulers as schedulers_module
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.schedulers import Schedulers
from karbor_backup_freezer.steps import handover

COUNT = 7


@pytest.fixture
def crowd(bench: Any) -> Iterator[list[str]]:
    """Schedulers that have registered in a project of their own and do nothing."""
    adapter = bench.client("other")
    names = [f"{bench.top}-{number}" for number in range(COUNT)]
    for number, name in enumerate(names):
        modes = ["fs"] if number % 2 else ["nova"]
        document = {"client_id": name, "hostname": "crowd", "supported_modes": modes}
        adapter._send("POST", "clients", json=document)
    yield names
    for name in names:
        adapter.delete("clients", name)


def test_all_pages_are_looked_at(
    bench: Any, crowd: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAGES", {**client_module.PAGES, "clients": 3})
    listed = Schedulers(bench.client("other")).all()
    assert {s.client_id for s in listed} >= set(crowd)


def test_what_they_declare_decides(bench: Any, crowd: list[str]) -> None:
    schedulers = Schedulers(bench.client("other"))
    able = schedulers.able([{"action": "backup", "mode": "fs", "storage": "local"}])
    ours = [s.client_id for s in able if s.client_id in crowd]
    assert ours == [name for number, name in enumerate(crowd) if number % 2]
    with pytest.raises(InvalidInput, match=f"scheduler {crowd[0]} on crowd offers"):
        schedulers.named(crowd[0], [{"mode": "fs"}])


def test_a_scheduler_that_is_not_there_is_said(bench: Any, do: Any) -> None:
    from karbor_backup_core import Resource, Result, Verb

    runner = bench.runner(scheduler="nobody")
    tree = Resource("Freezer::FileSystem::Directory", str(bench.tree()))
    operation = do.run(runner, Verb.PROTECT, tree, {"backup_name": "nightly"})
    assert operation.outcome.result is Result.FAILED
    assert "'nobody' is not registered with Freezer" in operation.outcome.reason
    assert bench.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}


@pytest.fixture
def ghost(bench: Any) -> Iterator[str]:
    """A scheduler of this host that has registered and asks for no jobs."""
    client = bench.client()
    document = {"client_id": f"{bench.top}-ghost", "hostname": socket.gethostname()}
    client._send("POST", "clients", json=document)
    yield document["client_id"]
    client.delete("clients", document["client_id"])


def test_job_of_a_dead_scheduler_is_run_by_another(
    spotless: Any, do: Any, ghost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "PATIENCE", 3.0)
    monkeypatch.setattr(handover, "SETTLE", 3.0)
    monkeypatch.setattr(schedulers_module, "_draw", lambda _, client: str(client != ghost))
    configuration = spotless.configuration()
    del configuration["scheduler"]
    backend = Backend.load("freezer", FreezerBackend, configuration)
    said: list[Operation] = []
    with Runner(
        MemoryStore(), {"freezer": backend}, policy=spotless.runner_policy, on_change=said.append
    ) as runner:
        backup = do.protect(runner, spotless.tree())
        chosen = [Receipt.of(operation).client for operation in said]
        assert ghost in chosen
        assert chosen[-1] != ghost
        assert backup.handle["client"] == chosen[-1]
        do.succeeded(do.run(runner, Verb.VERIFY, backup))
        do.succeeded(do.run(runner, Verb.DELETE, backup))
