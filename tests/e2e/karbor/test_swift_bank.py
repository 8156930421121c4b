"""A provider whose bank is in a real Swift, over a real Freezer, by Karbor's own client."""

import shutil
import signal
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Sandbox
from tests.e2e.karbor.karbor_client import KarborClient
from tests.e2e.karbor.karbor_service import wait_until
from tests.e2e.karbor.test_freezer import KarborFreezerHarness, harness
from tests.support.schedulers import paused_scheduler

__all__ = ["harness"]

_BANK = """\
[swift_bank_plugin]
bank_swift_object_container = {container}
[swift_client]
swift_auth_url = {auth_url}
swift_user = {user}
swift_key = {password}
swift_tenant_name = {project}
swift_project_domain_name = Default
swift_user_domain_name = Default
"""


@pytest.fixture
def swift_bench(
    harness: KarborFreezerHarness, sandbox: Sandbox, sandbox_part: Callable[[str], Any]
) -> KarborFreezerHarness:
    """Return the harness with its bank in Swift, in a container of its own."""
    sandbox_part("swift")
    karbor = harness.karbor
    file = karbor.folder / "providers.d" / "freezer.conf"
    account = sandbox.accounts["demo"]
    bank = _BANK.format(
        container=harness.top.name,
        auth_url=sandbox.auth_url,
        user=account.user,
        password=account.password,
        project=account.project,
    )
    text = file.read_text().replace(
        "bank = karbor-fs-bank-plugin", "bank = karbor-swift-bank-plugin"
    )
    file.write_text(f"{text}\n{bank}")
    karbor.stop()
    karbor.start()
    return harness


def test_a_checkpoint_is_protected_restored_verified_and_deleted(
    swift_bench: KarborFreezerHarness,
) -> None:
    harness, karbor, client = swift_bench, swift_bench.karbor, KarborClient(swift_bench.karbor)
    tree = harness.make_tree("first", b"precious")
    plan = karbor.plan(harness.provider, [harness.list_protectables()["first"]])
    checkpoint = client.run("checkpoint-create", harness.provider, plan)["id"]
    assert karbor.wait_until_settled(harness.provider, checkpoint) == "available"

    shutil.rmtree(tree)
    restore = client.run("restore-create", harness.provider, checkpoint)["id"]
    wait_until(lambda: karbor.record("restore", restore)["status"] != "in_progress", "the restore")
    assert client.run("restore-show", restore)["status"] == "success"
    assert (tree / "sub" / "file").read_bytes() == b"precious"

    verification = client.run("verification-create", harness.provider, checkpoint)["id"]
    wait_until(
        lambda: karbor.record("verification", verification)["status"] != "in_progress",
        "the verification",
    )
    assert client.run("verification-show", verification)["status"] == "success"

    client.run("checkpoint-delete", harness.provider, checkpoint)
    assert karbor.wait_until_settled(harness.provider, checkpoint) == "deleted"
    assert harness.list_containers() == []
    assert harness.list_freezer_entries() == []


def test_operations_of_a_killed_process_are_recovered(swift_bench: KarborFreezerHarness) -> None:
    harness, karbor = swift_bench, swift_bench.karbor
    tree = harness.make_tree("first", b"precious")
    with paused_scheduler(harness.sandbox):
        checkpoint = harness.protect("first")
        wait_until(lambda: harness.list_freezer_entries() != [], "the job")
        karbor.stop(signal.SIGKILL)

    recovered = karbor.recover(harness.provider)
    assert recovered.returncode == 0, recovered.stderr
    assert f"{checkpoint}: protecting -> available" in recovered.stdout
    assert karbor.recover(harness.provider).stdout == "nothing to recover\n"

    karbor.start()
    log = KarborClient(karbor).operation_log(checkpoint)
    assert log["status"] == "available"
    shutil.rmtree(tree)
    assert karbor.restore(harness.provider, checkpoint)["status"] == "success"
    assert (tree / "sub" / "file").read_bytes() == b"precious"
    karbor.call("DELETE", f"/providers/{harness.provider}/checkpoints/{checkpoint}")
    karbor.stop(signal.SIGKILL)
    recovered = karbor.recover(harness.provider)
    assert recovered.returncode == 0, recovered.stderr
    karbor.start()
    assert karbor.status(harness.provider, checkpoint) == "deleted"
    assert harness.list_containers() == []
    assert harness.list_freezer_entries() == []
