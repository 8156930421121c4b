"""A provider whose bank is in a real Swift, over a real Freezer, by Karbor's own client."""

import shutil
import signal
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Sandbox
from tests.e2e.karbor.client import KarborClient
from tests.e2e.karbor.service import wait_for
from tests.e2e.karbor.test_freezer import Bench, bench

__all__ = ["bench"]

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
def swift_bench(bench: Bench, sandbox: Sandbox, sandbox_part: Callable[[str], Any]) -> Bench:
    """The bench with its bank in Swift, in a container of its own."""
    sandbox_part("swift")
    karbor = bench.karbor
    file = karbor.folder / "providers.d" / "freezer.conf"
    account = sandbox.accounts["demo"]
    bank = _BANK.format(
        container=bench.top.name,
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
    return bench


def test_a_checkpoint_is_protected_restored_verified_and_deleted(swift_bench: Bench) -> None:
    bench, karbor, client = swift_bench, swift_bench.karbor, KarborClient(swift_bench.karbor)
    tree = bench.tree("first", b"precious")
    plan = karbor.plan(bench.provider, [bench.offered()["first"]])
    checkpoint = client.run("checkpoint-create", bench.provider, plan)["id"]
    assert karbor.settled(bench.provider, checkpoint) == "available"

    shutil.rmtree(tree)
    restore = client.run("restore-create", bench.provider, checkpoint)["id"]
    wait_for(lambda: karbor.record("restore", restore)["status"] != "in_progress", "the restore")
    assert client.run("restore-show", restore)["status"] == "success"
    assert (tree / "sub" / "file").read_bytes() == b"precious"

    verification = client.run("verification-create", bench.provider, checkpoint)["id"]
    wait_for(
        lambda: karbor.record("verification", verification)["status"] != "in_progress",
        "the verification",
    )
    assert client.run("verification-show", verification)["status"] == "success"

    client.run("checkpoint-delete", bench.provider, checkpoint)
    assert karbor.settled(bench.provider, checkpoint) == "deleted"
    assert bench.containers() == []
    assert bench.left_in_freezer() == []


def test_what_a_killed_process_left_is_recovered(swift_bench: Bench) -> None:
    bench, karbor = swift_bench, swift_bench.karbor
    tree = bench.tree("first", b"precious")
    checkpoint = bench.protect("first")
    wait_for(lambda: bench.left_in_freezer() != [], "the job")
    karbor.stop(signal.SIGKILL)

    recovered = karbor.recover(bench.provider)
    assert recovered.returncode == 0, recovered.stderr
    assert f"{checkpoint}: protecting -> available" in recovered.stdout
    assert karbor.recover(bench.provider).stdout == "nothing to recover\n"

    karbor.start()
    log = KarborClient(karbor).operation_log(checkpoint)
    assert log["status"] == "available"
    shutil.rmtree(tree)
    assert karbor.restore(bench.provider, checkpoint)["status"] == "success"
    assert (tree / "sub" / "file").read_bytes() == b"precious"
    karbor.call("DELETE", f"/providers/{bench.provider}/checkpoints/{checkpoint}")
    karbor.stop(signal.SIGKILL)
    recovered = karbor.recover(bench.provider)
    assert recovered.returncode == 0, recovered.stderr
    karbor.start()
    assert karbor.status(bench.provider, checkpoint) == "deleted"
    assert bench.containers() == []
    assert bench.left_in_freezer() == []
