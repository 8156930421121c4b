"""The protection process is killed at each step; what it left is then recovered.

A child of this process is killed with SIGKILL before, in the middle of, and after each write to
Karbor's bank, and before and after each request to the service. All that was left is recovered at
once, in the end, as an operator would.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import eventlet
import pytest
from file_cloud import FileCloud
from harness import FlowResult, KarborHarness
from karbor.services.protection.bank_plugins.file_system_bank_plugin import FileSystemBankPlugin

from karbor_glue._leases import Leases
from karbor_glue._recovery import RecoveryResult, recover

LEASE = 3600
"""Seconds, more than any test lasts: who has died on this host is known to be dead at once."""

POINTS = 200
"""More than there are; a sweep ends with the first child that lives to its end."""


@pytest.fixture
def make_with_lease(
    make_harness: Callable[..., KarborHarness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], KarborHarness]:
    """Make a Karbor over a cloud that outlives it, with leases of that many seconds."""
    info = tmp_path / "site" / "filecloud-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: filecloud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[karbor_backup.backends]\nfilecloud = file_cloud:FileCloudBackend\n"
    )
    monkeypatch.syspath_prepend(str(info.parent))
    settings = tmp_path / "filecloud.toml"
    settings.write_text(f'path = "{tmp_path / "cloud"}"\n')
    lines = f"backend = filecloud\npoll_interval = 0\nconfiguration_file = {settings}\n"
    return lambda lease: make_harness(karbor_backup_plugin=f"{lines}lease = {lease}")


@pytest.fixture
def harness(make_with_lease: Callable[[int], KarborHarness]) -> KarborHarness:
    return make_with_lease(LEASE)


@pytest.fixture
def cloud(tmp_path: Path) -> FileCloud:
    return FileCloud(tmp_path / "cloud")


class ProcessKiller:
    """Kills this process at a point of its way.

    Args:
        point: how many steps it may take.
    """

    def __init__(self, point: int) -> None:
        self._left = point

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Count the writes to the bank and the requests from now on."""
        write, remove = FileSystemBankPlugin._write_object, FileSystemBankPlugin._delete_object

        def torn_write(bank: Any, path: str, data: str) -> None:
            self()
            if not path.endswith("/index.json"):  # Karbor's own: nobody could mend half of it
                write(bank, path, data[: len(data) // 2])
                self()
            write(bank, path, data)
            self()

        def counted_remove(bank: Any, path: str) -> None:
            self()
            remove(bank, path)
            self()

        FileSystemBankPlugin._write_object = torn_write
        FileSystemBankPlugin._delete_object = counted_remove
        FileCloud.gate = self


def run_killed_at_each_step(
    run: Callable[[], object], prepare: Callable[[], None] = lambda: None
) -> int:
    """Run something in children that are killed one step later each; answer how many were."""
    for point in range(POINTS):
        prepare()
        child = os.fork()
        if child == 0:
            eventlet.hubs.use_hub()
            sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - a dying child says nothing
            ProcessKiller(point).install()
            run()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return point
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    raise AssertionError(f"it took more than {POINTS} steps")


def recover_all(harness: KarborHarness) -> list[RecoveryResult]:
    """Recover all that was left."""
    results = list(recover(harness.provider))
    assert [each.problems for each in results if each.problems] == []
    return results


def list_checkpoints(harness: KarborHarness) -> Iterator[FlowResult]:
    """All checkpoints that Karbor lists."""
    for each in harness.provider.list_checkpoints(None, harness.provider.id, all_tenants=True):
        checkpoint = harness.provider.get_checkpoint(each)
        yield FlowResult(each, checkpoint.status, "", None, {})  # type: ignore[arg-type]


def stored_operations(bank: Path) -> list[Path]:
    """Return what the bank keeps of operations and of processes."""
    return [path for path in bank.rglob("*") if path.is_file() and "operation-" in path.name]


def stored_leases(bank: Path) -> list[Path]:
    return [path for path in bank.rglob("owners/*") if path.is_file()]


def test_protect_killed_at_any_step_is_recovered(harness: KarborHarness, cloud: FileCloud) -> None:
    checkpoints: list[Any] = []
    killed = run_killed_at_each_step(
        lambda: harness.protect_checkpoint(checkpoints[-1]),
        lambda: checkpoints.append(harness.new_checkpoint("volume-1")),
    )
    assert killed > 20
    results = recover_all(harness)
    assert {each.after for each in results} == {"available", "error"}
    assert {done.status for done in list_checkpoints(harness)} == {"available", "error"}
    assert stored_operations(harness.bank) == []
    assert stored_leases(harness.bank) == []
    now = cloud.load()
    assert set(now.started.values()) == {1}
    assert now.jobs() == []
    backups = [done for done in list_checkpoints(harness) if done.status == "available"]
    assert len(now.copies()) == len(backups)
    assert list(recover(harness.provider)) == []
    for done in list(list_checkpoints(harness)):
        assert harness.delete(done).status == "deleted"
    assert cloud.load().copies() == []


def test_delete_killed_at_any_step_is_completed(harness: KarborHarness, cloud: FileCloud) -> None:
    protects: list[FlowResult] = []
    killed = run_killed_at_each_step(
        lambda: harness.delete(protects[-1]), lambda: protects.append(harness.protect("volume-1"))
    )
    assert killed > 10
    for each in recover_all(harness):
        assert each.after == "deleted"
    untouched = list(list_checkpoints(harness))
    assert len(cloud.load().copies()) == len(untouched)
    assert stored_operations(harness.bank) == []
    assert stored_leases(harness.bank) == []
    assert cloud.load().jobs() == []


def test_restore_killed_at_any_step_is_completed_once(
    harness: KarborHarness, cloud: FileCloud
) -> None:
    done = harness.protect("volume-1")
    before = len(cloud.load().inventory.assets)
    begun_before = sum(cloud.load().started.values())
    killed = run_killed_at_each_step(lambda: harness.restore(done))
    assert killed > 20
    results = recover_all(harness)
    assert {each.after for each in results} == {"available"}
    now = cloud.load()
    assert set(now.started.values()) == {1}
    assert len(now.inventory.assets) - before == sum(now.started.values()) - begun_before
    assert now.jobs() == []
    assert stored_operations(harness.bank) == []


def test_resource_graph_with_pending_children_is_recovered_whole(
    harness: KarborHarness, cloud: FileCloud
) -> None:
    family = {"project-1": ("server-1", "volume-2")}
    checkpoints: list[Any] = []
    killed = run_killed_at_each_step(
        lambda: harness.protect_checkpoint(checkpoints[-1]),
        lambda: checkpoints.append(harness.new_checkpoint("project-1", family=family)),
    )
    results = recover_all(harness)
    assert len(results) >= killed // 2
    for done in list_checkpoints(harness):
        if done.status == "available":
            assert harness.read_status(done, "server-1") == "available"
            assert "metadata" in harness.list_objects(done, "server-1")
    assert set(cloud.load().started.values()) == {1}
    assert stored_operations(harness.bank) == []


def test_unreadable_checkpoint_is_named_and_the_others_are_recovered(
    harness: KarborHarness,
) -> None:
    done = harness.protect("volume-1")
    (index,) = harness.bank.rglob(f"checkpoints/{done.checkpoint}/index.json")
    index.write_text(index.read_text()[:100])
    other = harness.new_checkpoint("volume-1")
    results = {each.checkpoint: each for each in recover(harness.provider)}
    assert "cannot be read" in results[done.checkpoint].problems[0]
    assert results[other.id].after == "error"


def test_operation_of_a_live_process_is_not_recovered(
    make_with_lease: Callable[[int], KarborHarness],
) -> None:
    harness = make_with_lease(20)
    child = os.fork()
    if child == 0:
        eventlet.hubs.use_hub()
        _slow_cloud()
        harness.protect("volume-1")
        os._exit(0)
    try:
        _wait_for_renewal(Leases(harness.provider.bank), child)
        with eventlet.Timeout(60):  # whoever takes it over waits for an hour
            (results,) = recover(harness.provider)
            deleted = harness.delete_id(results.checkpoint)
        assert results.after == "protecting"
        assert "a process shows that it lives" in results.problems[0]
        assert "is driven by" in deleted.error
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _wait_for_renewal(leases: Leases, child: int) -> None:
    """Wait until a process has renewed a lease, as one does that drives an operation."""
    first: dict[str, datetime] = {}
    while not any(u > first.setdefault(name, u) for name, u in leases.live_leases().items()):
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        assert os.waitid(os.P_PID, child, options) is None, "the process ended before its time"
        time.sleep(0.1)


def _slow_cloud() -> None:
    """Make all work of the cloud take long."""
    original = FileCloud._read_state

    def load(self: FileCloud) -> Any:
        loaded = original(self)
        loaded.service_seconds = 3600
        return loaded

    FileCloud._read_state = load  # type: ignore[method-assign]
