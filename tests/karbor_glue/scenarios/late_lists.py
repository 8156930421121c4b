"""A bank that lists late, as Swift's may: nothing is judged by its lists alone."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import latebank
import pytest
from bench import Bench, Done
from filecloud import FileCloud
from kills import LEASE, checkpoints, operations_in, recovered, sweep

from karbor_backup_core import StoreError, system_clock
from karbor_glue.leases import Leases
from karbor_glue.recovery import recover

OWNER = "host:boot:1:2:3:60:name"


@pytest.fixture
def bench(
    make_bench: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """A Karbor with such a bank, over a cloud that outlives it."""
    info = tmp_path / "site" / "late-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[karbor_backup.backends]\nfilecloud = filecloud:FileCloudBackend\n"
        f"[karbor.protections]\n{latebank.NAME} = latebank:LateBankPlugin\n"
    )
    monkeypatch.syspath_prepend(str(info.parent))
    settings = tmp_path / "filecloud.toml"
    settings.write_text(f'path = "{tmp_path / "cloud"}"\n')
    lines = f"backend = filecloud\npoll_interval = 0\nconfiguration_file = {settings}\n"
    return make_bench(bank_plugin=latebank.NAME, karbor_backup_plugin=f"{lines}lease = {LEASE}")


@pytest.fixture
def cloud(tmp_path: Path) -> FileCloud:
    return FileCloud(tmp_path / "cloud")


def test_all_verbs_succeed(bench: Bench, cloud: FileCloud) -> None:
    done = bench.protect("volume-1")
    assert (done.status, done.error) == ("available", "")
    assert bench.restore(done).error == ""
    assert bench.verify(done).error == ""
    assert bench.delete(done).status == "deleted"
    assert operations_in(bench.bank) == []
    assert cloud.cloud().copies() == []


def test_what_was_removed_and_is_listed_still_is_not_recovered(bench: Bench) -> None:
    kept, gone = bench.protect("volume-1"), bench.protect("volume-2")
    assert bench.delete(gone).status == "deleted"
    assert list(recover(bench.provider)) == []
    assert bench.checkpoint(kept).status == "available"


def test_a_protect_that_is_killed_anywhere_is_recovered(bench: Bench, cloud: FileCloud) -> None:
    made: list[Any] = []
    killed = sweep(
        lambda: bench.protect_in(made[-1]), lambda: made.append(bench.new_checkpoint("volume-1"))
    )
    assert killed > 20
    assert {each.after for each in recovered(bench)} == {"available", "error"}
    now = cloud.cloud()
    assert now.jobs() == []
    found: list[Done] = list(checkpoints(bench))
    assert len(now.copies()) == len([done for done in found if done.status == "available"])
    assert operations_in(bench.bank) == []
    assert list(recover(bench.provider)) == []


def test_a_lease_that_is_not_listed_is_written_again_and_then_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = latebank.LateBankPlugin.list_objects
    left = [2]

    def late(plugin: Any, prefix: str = "/", *arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        return [] if left[0] >= 0 else listed(plugin, prefix, *arguments, **named)

    monkeypatch.setattr(latebank.LateBankPlugin, "list_objects", late)
    Leases(bench.provider.bank).announce(OWNER, system_clock())
    left[0] = 100
    with pytest.raises(StoreError, match="does not list the lease"):
        Leases(bench.provider.bank).announce(OWNER, system_clock())


def test_threads_use_a_bank_one_at_a_time() -> None:
    """As in the command, whose threads are real: swiftclient's connection is for one of them."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _THREADS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


_THREADS = """
import threading, time
from karbor_glue.bank_objects import write_object

class Section:
    inside = most = 0
    def update_object(self, name, value):
        Section.inside += 1
        Section.most = max(Section.most, Section.inside)
        time.sleep(0.01)
        Section.inside -= 1

threads = [threading.Thread(target=write_object, args=(Section(), "a", {}, "b")) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(Section.most)
"""
