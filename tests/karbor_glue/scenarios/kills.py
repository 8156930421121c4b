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
from pathlib import Path
from typing import Any

import eventlet
import pytest
from bench import Bench, Done
from filecloud import FileCloud
from karbor.services.protection.bank_plugins.file_system_bank_plugin import FileSystemBankPlugin

from karbor_glue.recovery import Recovered, recover

LEASE = 1
POINTS = 200
"""More than there are; a sweep ends with the first child that lives to its end."""


@pytest.fixture
def make(
    make_bench: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], Bench]:
    """Make a Karbor over a cloud that outlives it, with leases of that many seconds."""
    info = tmp_path / "site" / "filecloud-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: filecloud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[karbor_backup.backends]\nfilecloud = filecloud:FileCloudBackend\n"
    )
    monkeypatch.syspath_prepend(str(info.parent))
    settings = tmp_path / "filecloud.toml"
    settings.write_text(f'path = "{tmp_path / "cloud"}"\n')
    lines = f"backend = filecloud\npoll_interval = 0\nconfiguration_file = {settings}\n"
    return lambda lease: make_bench(karbor_backup_plugin=f"{lines}lease = {lease}")


@pytest.fixture
def bench(make: Callable[[int], Bench]) -> Bench:
    return make(LEASE)


@pytest.fixture
def cloud(tmp_path: Path) -> FileCloud:
    return FileCloud(tmp_path / "cloud")


class Killer:
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


def sweep(run: Callable[[], object], prepare: Callable[[], None] = lambda: None) -> int:
    """Run something in children that are killed one step later each; answer how many were."""
    for point in range(POINTS):
        prepare()
        child = os.fork()
        if child == 0:
            eventlet.hubs.use_hub()
            sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - a dying child says nothing
            Killer(point).install()
            run()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return point
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    raise AssertionError(f"it took more than {POINTS} steps")


def recovered(bench: Bench) -> list[Recovered]:
    """Recover all that was left, when the dead are known to be dead."""
    time.sleep(LEASE + 0.1)
    found = list(recover(bench.provider))
    assert [each.problems for each in found if each.problems] == []
    return found


def checkpoints(bench: Bench) -> Iterator[Done]:
    """All checkpoints that Karbor lists."""
    for each in bench.provider.list_checkpoints(None, bench.provider.id, all_tenants=True):
        checkpoint = bench.provider.get_checkpoint(each)
        yield Done(each, checkpoint.status, "", None, {})  # type: ignore[arg-type]


def operations_in(bank: Path) -> list[Path]:
    """What the bank keeps of operations and of processes."""
    return [path for path in bank.rglob("*") if path.is_file() and "operation-" in path.name]


def owners_in(bank: Path) -> list[Path]:
    return [path for path in bank.rglob("owners/*") if path.is_file()]


def test_a_protect_that_is_killed_anywhere_is_recovered(bench: Bench, cloud: FileCloud) -> None:
    made: list[Any] = []
    killed = sweep(
        lambda: bench.protect_in(made[-1]), lambda: made.append(bench.new_checkpoint("volume-1"))
    )
    assert killed > 20
    found = recovered(bench)
    assert {each.after for each in found} == {"available", "error"}
    assert {done.status for done in checkpoints(bench)} == {"available", "error"}
    assert operations_in(bench.bank) == []
    assert owners_in(bench.bank) == []
    now = cloud.cloud()
    assert set(now.started.values()) == {1}
    assert now.jobs() == []
    backups = [done for done in checkpoints(bench) if done.status == "available"]
    assert len(now.copies()) == len(backups)
    assert list(recover(bench.provider)) == []
    for done in list(checkpoints(bench)):
        assert bench.delete(done).status == "deleted"
    assert cloud.cloud().copies() == []


def test_a_delete_that_is_killed_anywhere_is_carried_out(bench: Bench, cloud: FileCloud) -> None:
    made: list[Done] = []
    killed = sweep(lambda: bench.delete(made[-1]), lambda: made.append(bench.protect("volume-1")))
    assert killed > 10
    for each in recovered(bench):
        assert each.after == "deleted"
    untouched = list(checkpoints(bench))
    assert len(cloud.cloud().copies()) == len(untouched)
    assert operations_in(bench.bank) == []
    assert owners_in(bench.bank) == []
    assert cloud.cloud().jobs() == []


def test_a_restore_that_is_killed_anywhere_is_finished_once(bench: Bench, cloud: FileCloud) -> None:
    done = bench.protect("volume-1")
    before = len(cloud.cloud().inventory.assets)
    begun_before = sum(cloud.cloud().started.values())
    killed = sweep(lambda: bench.restore(done))
    assert killed > 20
    found = recovered(bench)
    assert {each.after for each in found} == {"available"}
    now = cloud.cloud()
    assert set(now.started.values()) == {1}
    assert len(now.inventory.assets) - before == sum(now.started.values()) - begun_before
    assert now.jobs() == []
    assert operations_in(bench.bank) == []


def test_a_family_whose_children_waited_is_recovered_whole(bench: Bench, cloud: FileCloud) -> None:
    family = {"project-1": ("server-1", "volume-2")}
    made: list[Any] = []
    killed = sweep(
        lambda: bench.protect_in(made[-1]),
        lambda: made.append(bench.new_checkpoint("project-1", family=family)),
    )
    found = recovered(bench)
    assert len(found) >= killed // 2
    for done in checkpoints(bench):
        if done.status == "available":
            assert bench.status(done, "server-1") == "available"
            assert "metadata" in bench.objects(done, "server-1")
    assert set(cloud.cloud().started.values()) == {1}
    assert operations_in(bench.bank) == []


def test_a_checkpoint_that_cannot_be_read_is_named_and_hinders_no_other(bench: Bench) -> None:
    done = bench.protect("volume-1")
    (index,) = bench.bank.rglob(f"checkpoints/{done.checkpoint}/index.json")
    index.write_text(index.read_text()[:100])
    other = bench.new_checkpoint("volume-1")
    found = {each.checkpoint: each for each in recover(bench.provider)}
    assert "cannot be read" in found[done.checkpoint].problems[0]
    assert found[other.id].after == "error"


def test_what_a_living_process_drives_is_left_alone(
    make: Callable[[int], Bench],
) -> None:
    lease = 6
    bench = make(lease)
    child = os.fork()
    if child == 0:
        eventlet.hubs.use_hub()
        _slow()
        bench.protect("volume-1")
        os._exit(0)
    try:
        while not operations_in(bench.bank):
            time.sleep(0.1)
        time.sleep(lease + 1)
        with eventlet.Timeout(60):  # whoever takes it over waits for an hour
            (found,) = recover(bench.provider)
            deleted = bench.delete_id(found.checkpoint)
        assert found.after == "protecting"
        assert "a process shows that it lives" in found.problems[0]
        assert "is driven by" in deleted.error
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _slow() -> None:
    """Make all work of the cloud take long."""
    original = FileCloud._load

    def load(self: FileCloud) -> Any:
        loaded = original(self)
        loaded.service_seconds = 3600
        return loaded

    FileCloud._load = load  # type: ignore[method-assign]
