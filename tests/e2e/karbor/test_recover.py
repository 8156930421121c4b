"""What ``karbor-backup karbor recover`` puts right that Karbor's API leaves for ever."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from sandbox import faults
from sandbox.environments import Environment
from sandbox.faultproxy import FaultProxy
from sandbox.ports import HOST
from tests.e2e.karbor.service import wait_for
from tests.e2e.karbor.test_freezer import Bench, bench

__all__ = ["bench"]


def reconfigure(bench: Bench, old: str, new: str) -> None:
    """Change the provider's file, and start Karbor anew with it."""
    file = bench.karbor.folder / "providers.d" / "freezer.conf"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    bench.karbor.stop()
    bench.karbor.start()


def test_a_delete_that_failed_is_carried_out(bench: Bench) -> None:
    karbor, provider = bench.karbor, bench.provider
    bench.tree("first", b"one")
    checkpoint = bench.protect("first")
    assert karbor.settled(provider, checkpoint) == "available"
    reconfigure(bench, "storage = local", "storage = no-such-kind")
    assert karbor.delete(provider, checkpoint) == "error-deleting"

    # With the mistake still in the file nothing can be done, and that is said.
    karbor.stop()
    failed = karbor.recover(provider)
    assert failed.returncode == 1, failed.stdout
    assert "no-such-kind" in failed.stderr
    karbor.start()
    assert karbor.status(provider, checkpoint) == "error", "Karbor takes a delete from there"

    reconfigure(bench, "storage = no-such-kind", "storage = local")
    assert karbor.delete(provider, checkpoint) == "deleted"
    assert bench.containers() == []
    assert bench.left_in_freezer() == []


def test_a_delete_that_is_stuck_is_carried_out_once_the_file_is_right(bench: Bench) -> None:
    karbor, provider = bench.karbor, bench.provider
    bench.tree("first", b"one")
    checkpoint = bench.protect("first")
    assert karbor.settled(provider, checkpoint) == "available"
    reconfigure(bench, "storage = local", "storage = no-such-kind")
    assert karbor.delete(provider, checkpoint) == "error-deleting"
    reconfigure(bench, "storage = no-such-kind", "storage = local")
    karbor.stop()
    done = karbor.recover(provider)
    assert done.returncode == 0, done.stderr
    assert f"{checkpoint}: error-deleting -> deleted" in done.stdout
    assert bench.containers() == []
    assert bench.left_in_freezer() == []
    again = karbor.recover(provider)
    assert (again.returncode, again.stdout) == (0, "nothing to recover\n")


def test_a_checkpoint_that_holds_nothing_is_deleted_without_settings(bench: Bench) -> None:
    karbor, provider = bench.karbor, bench.provider
    checkpoint = bench.protect("first")  # there is no such directory
    assert karbor.settled(provider, checkpoint) == "error"
    reconfigure(bench, "storage = local", "storage = no-such-kind")
    assert karbor.delete(provider, checkpoint) == "deleted"


def test_a_backup_is_available_while_its_job_cannot_be_removed(
    bench: Bench, fault_proxy: FaultProxy
) -> None:
    karbor, provider = bench.karbor, bench.provider
    endpoint = f"freezer_endpoint = {fault_proxy.url}\nrelease = 2\n"
    reconfigure(bench, "[freezer_protection_plugin]\n", f"[freezer_protection_plugin]\n{endpoint}")
    tree = bench.tree("first", b"precious")
    broken = fault_proxy.plan(faults.status(500), times=None, method="DELETE", path="/jobs/")
    checkpoint = bench.protect("first")
    assert karbor.settled(provider, checkpoint) == "available"
    assert broken.fired
    shutil.rmtree(tree)
    fault_proxy.clear()
    assert karbor.restore(provider, checkpoint)["status"] == "success"
    assert (tree / "sub" / "file").read_bytes() == b"precious"

    karbor.stop()
    recovered = karbor.recover(provider)
    assert recovered.returncode == 0, recovered.stderr
    assert f"{checkpoint}: available -> available" in recovered.stdout
    assert len(bench.left_in_freezer()) == 1, "the record of the backup alone"
    karbor.start()
    assert karbor.delete(provider, checkpoint) == "deleted"
    assert bench.left_in_freezer() == []


@pytest.mark.parametrize(
    ("conf", "provider"),
    [
        ("garbage", ""),
        ("[DEFAULT]\nprovider_config_dir = {folder}/nowhere\n", ""),
        ("[DEFAULT]\nprovider_config_dir = {folder}\n", "garbage"),
    ],
)
def test_a_configuration_that_karbor_cannot_use_is_one_line_and_status_2(
    full_karbor: Environment, tmp_path: Path, conf: str, provider: str
) -> None:
    file = tmp_path / "karbor.cfg"
    file.write_text(conf.format(folder=tmp_path))
    if provider:
        (tmp_path / "provider.conf").write_text(provider)
    command = [full_karbor.bin / "karbor-backup", "karbor", "recover", "x", "--config-file", file]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Karbor's configuration cannot be used" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("kind", ["restore", "verification"])
def test_a_record_of_which_nothing_was_begun_is_ended(bench: Bench, kind: str) -> None:
    karbor, provider = bench.karbor, bench.provider
    bench.tree("first", b"one")
    checkpoint = bench.protect("first")
    assert karbor.settled(provider, checkpoint) == "available"
    with socket.create_server((HOST, 0)) as silent:
        auth = f"auth_type = password\nauth_url = http://{HOST}:{silent.getsockname()[1]}/v3\n"
        account = "username = a\npassword = b\nproject_name = c\nuser_domain_id = default\n"
        reconfigure(bench, "cloud = demo\n", f"cloud = demo\n{auth}{account}")
        record = karbor.begin(kind, provider, checkpoint)
        wait_for(lambda: "karbor.services.protection" in karbor.log.read_text(), "the flow")
        time.sleep(1)
        karbor.stop(signal.SIGKILL)
    time.sleep(3)  # the lease of the dead process, and one second
    done = karbor.recover(provider)
    assert done.returncode == 0, done.stderr
    assert f"{record}: in_progress -> fail" in done.stdout
    assert karbor.recover(provider).stdout == "nothing to recover\n"
    karbor.start()
    assert karbor.record(kind, record)["status"] == "fail"
    assert karbor.status(provider, checkpoint) == "available"
