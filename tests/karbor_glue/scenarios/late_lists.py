"""A bank that lists late, as Swift's may: nothing is judged by its lists alone."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import late_bank
import pytest
from crashes import LEASE, list_checkpoints, recover_all, run_killed_at_each_step, stored_operations
from file_cloud import FileCloud
from harness import FlowResult, KarborHarness

from karbor_backup_core import StoreError, system_clock
from karbor_glue._leases import Leases
from karbor_glue._recovery import recover

OWNER = "host:boot:1:2:3:60:name"


@pytest.fixture
def harness(
    make_harness: Callable[..., KarborHarness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> KarborHarness:
    """Return a Karbor with such a bank, over a cloud that outlives it."""
    info = tmp_path / "site" / "late-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[karbor_backup.backends]\nfilecloud = file_cloud:FileCloudBackend\n"
        f"[karbor.protections]\n{late_bank.NAME} = late_bank:LateBankPlugin\n"
    )
    monkeypatch.syspath_prepend(str(info.parent))
    settings = tmp_path / "filecloud.toml"
    settings.write_text(f'path = "{tmp_path / "cloud"}"\n')
    lines = f"backend = filecloud\npoll_interval = 0\nconfiguration_file = {settings}\n"
    return make_harness(bank_plugin=late_bank.NAME, karbor_backup_plugin=f"{lines}lease = {LEASE}")


@pytest.fixture
def cloud(tmp_path: Path) -> FileCloud:
    return FileCloud(tmp_path / "cloud")


def test_all_verbs_succeed(harness: KarborHarness, cloud: FileCloud) -> None:
    done = harness.protect("volume-1")
    assert (done.status, done.error) == ("available", "")
    assert harness.restore(done).error == ""
    assert harness.verify(done).error == ""
    assert harness.delete(done).status == "deleted"
    assert stored_operations(harness.bank) == []
    assert cloud.load().copies() == []


def test_deleted_checkpoint_that_is_still_listed_is_not_recovered(harness: KarborHarness) -> None:
    kept, gone = harness.protect("volume-1"), harness.protect("volume-2")
    assert harness.delete(gone).status == "deleted"
    assert list(recover(harness.provider)) == []
    assert harness.load_checkpoint(kept).status == "available"


def test_protect_killed_at_any_step_is_recovered(harness: KarborHarness, cloud: FileCloud) -> None:
    checkpoints: list[Any] = []
    killed = run_killed_at_each_step(
        lambda: harness.protect_checkpoint(checkpoints[-1]),
        lambda: checkpoints.append(harness.new_checkpoint("volume-1")),
    )
    assert killed > 20
    assert {each.after for each in recover_all(harness)} == {"available", "error"}
    now = cloud.load()
    assert now.jobs() == []
    results: list[FlowResult] = list(list_checkpoints(harness))
    assert len(now.copies()) == len([done for done in results if done.status == "available"])
    assert stored_operations(harness.bank) == []
    assert list(recover(harness.provider)) == []


def test_unlisted_lease_is_written_again_and_then_refused(
    harness: KarborHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = late_bank.LateBankPlugin.list_objects
    left = [2]

    def late(plugin: Any, prefix: str = "/", *arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        return [] if left[0] >= 0 else listed(plugin, prefix, *arguments, **named)

    monkeypatch.setattr(late_bank.LateBankPlugin, "list_objects", late)
    Leases(harness.provider.bank).announce(OWNER, system_clock())
    left[0] = 100
    with pytest.raises(StoreError, match="does not list the lease"):
        Leases(harness.provider.bank).announce(OWNER, system_clock())


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
from karbor_glue._bank_objects import write_object

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
