"""What ``karbor-backup karbor recover`` puts right that Karbor's API leaves for ever."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from sandbox.environments import Environment
from sandbox.ports import HOST
from tests.e2e.karbor.conftest import EXAMPLES
from tests.e2e.karbor.karbor_service import TIMEOUT
from tests.e2e.karbor.test_freezer import KarborFreezerHarness, harness
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy

__all__ = ["harness"]


def reconfigure(harness: KarborFreezerHarness, old: str, new: str) -> None:
    """Change the provider's file, and start Karbor anew with it."""
    file = harness.karbor.folder / "providers.d" / "freezer.conf"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    harness.karbor.stop()
    harness.karbor.start()


def test_failed_delete_is_completed(harness: KarborFreezerHarness) -> None:
    karbor, provider = harness.karbor, harness.provider
    harness.make_tree("first", b"one")
    checkpoint = harness.protect("first")
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    reconfigure(harness, "storage = local", "storage = no-such-kind")
    assert karbor.delete(provider, checkpoint) == "error-deleting"

    # With the mistake still in the file nothing can be done, and that is said.
    karbor.stop()
    failed = karbor.recover(provider)
    assert failed.returncode == 1, failed.stdout
    assert "no-such-kind" in failed.stderr
    karbor.start()
    assert karbor.status(provider, checkpoint) == "error", "Karbor takes a delete from there"

    reconfigure(harness, "storage = no-such-kind", "storage = local")
    assert karbor.delete(provider, checkpoint) == "deleted"
    assert harness.list_containers() == []
    assert harness.list_freezer_entries() == []


def test_stuck_delete_is_completed_after_the_configuration_is_corrected(
    harness: KarborFreezerHarness,
) -> None:
    karbor, provider = harness.karbor, harness.provider
    harness.make_tree("first", b"one")
    checkpoint = harness.protect("first")
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    reconfigure(harness, "storage = local", "storage = no-such-kind")
    assert karbor.delete(provider, checkpoint) == "error-deleting"
    reconfigure(harness, "storage = no-such-kind", "storage = local")
    karbor.stop()
    done = karbor.recover(provider)
    assert done.returncode == 0, done.stderr
    assert f"{checkpoint}: error-deleting -> deleted" in done.stdout
    assert harness.list_containers() == []
    assert harness.list_freezer_entries() == []
    again = karbor.recover(provider)
    assert (again.returncode, again.stdout) == (0, "nothing to recover\n")


def test_empty_checkpoint_is_deleted_without_settings(
    harness: KarborFreezerHarness,
) -> None:
    karbor, provider = harness.karbor, harness.provider
    checkpoint = harness.protect("first")  # there is no such directory
    assert karbor.wait_until_settled(provider, checkpoint) == "error"
    reconfigure(harness, "storage = local", "storage = no-such-kind")
    assert karbor.delete(provider, checkpoint) == "deleted"


def test_a_backup_is_available_while_its_job_cannot_be_removed(
    harness: KarborFreezerHarness, fault_proxy: FaultProxy
) -> None:
    karbor, provider = harness.karbor, harness.provider
    endpoint = f"freezer_endpoint = {fault_proxy.url}\nrelease = 2\n"
    reconfigure(
        harness, "[freezer_protection_plugin]\n", f"[freezer_protection_plugin]\n{endpoint}"
    )
    tree = harness.make_tree("first", b"precious")
    broken = fault_proxy.plan(
        http_faults.error_response(500), times=None, method="DELETE", path="/jobs/"
    )
    checkpoint = harness.protect("first")
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    assert broken.fired
    shutil.rmtree(tree)
    fault_proxy.clear()
    assert karbor.restore(provider, checkpoint)["status"] == "success"
    assert (tree / "sub" / "file").read_bytes() == b"precious"

    karbor.stop()
    recovered = karbor.recover(provider)
    assert recovered.returncode == 0, recovered.stderr
    assert f"{checkpoint}: available -> available" in recovered.stdout
    assert len(harness.list_freezer_entries()) == 1, "the record of the backup alone"
    karbor.start()
    assert karbor.delete(provider, checkpoint) == "deleted"
    assert harness.list_freezer_entries() == []


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
    command = [str(full_karbor.bin / "karbor-backup"), "karbor", "recover", "x"]
    done = subprocess.run(
        [*command, "--config-file", str(file)],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Karbor's configuration cannot be used" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("kind", ["restore", "verification"])
def test_record_without_a_started_operation_is_ended(
    harness: KarborFreezerHarness, kind: str
) -> None:
    karbor, provider = harness.karbor, harness.provider
    harness.make_tree("first", b"one")
    checkpoint = harness.protect("first")
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    with socket.create_server((HOST, 0)) as silent:
        auth = f"auth_type = password\nauth_url = http://{HOST}:{silent.getsockname()[1]}/v3\n"
        account = "username = a\npassword = b\nproject_name = c\nuser_domain_id = default\n"
        reconfigure(harness, "cloud = demo\n", f"cloud = demo\n{auth}{account}")
        record = karbor.begin(kind, provider, checkpoint)
        silent.settimeout(TIMEOUT)
        with silent.accept()[0]:  # the flow asks for a token, and so its operation has not begun
            karbor.stop(signal.SIGKILL)
    done = karbor.recover(provider)
    assert done.returncode == 0, done.stderr
    assert f"{record}: in_progress -> fail" in done.stdout
    assert karbor.recover(provider).stdout == "nothing to recover\n"
    karbor.start()
    assert karbor.record(kind, record)["status"] == "fail"
    assert karbor.status(provider, checkpoint) == "available"


def test_unreadable_database_is_named_with_status_1(
    full_karbor: Environment, tmp_path: Path
) -> None:
    text = (EXAMPLES / "fake.conf").read_text()
    bank = tmp_path / "bank"
    bank.mkdir()
    (tmp_path / "fake.conf").write_text(text.replace("/var/lib/karbor/bank", str(bank)))
    file = tmp_path / "karbor.cfg"
    database = f"sqlite:///{tmp_path}/nowhere/karbor.sqlite"
    file.write_text(
        f"[DEFAULT]\nprovider_config_dir = {tmp_path}\n[database]\nconnection = {database}\n"
    )
    command = [str(full_karbor.bin / "karbor-backup"), "karbor", "recover", "Trial"]
    done = subprocess.run(
        [*command, "--config-file", str(file)],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "Karbor's database cannot be read" in done.stderr
    assert "nothing to recover" not in done.stdout
