"""Karbor's API over the sandbox's real Freezer: real bytes, with the provider's file we ship."""

import json
import shutil
import signal
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_freezer.api.http_client import FreezerHttpClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_openstack.connection import Connection
from sandbox import Sandbox
from tests.e2e.karbor.conftest import EXAMPLES
from tests.e2e.karbor.karbor_service import KarborService, wait_until
from tests.support.schedulers import paused_scheduler

DIRECTORY = "Freezer::FileSystem::Directory"
CANARY = "canary-of-a-secret-key-1928"


@attrs.define
class KarborFreezerHarness:
    """A Karbor with the Freezer provider, and directories that it may protect.

    Attributes:
        karbor: the service.
        provider: the provider's id.
        sandbox: the real Freezer.
        folder: holds the directories.
        top: the folder on the storage that holds this test's backups.
    """

    karbor: KarborService
    provider: str
    sandbox: Sandbox
    folder: Path
    top: Path

    def make_tree(self, name: str, content: bytes) -> Path:
        """One of the directories that Karbor offers, filled."""
        tree = self.folder / name
        (tree / "sub").mkdir(parents=True, exist_ok=True)
        (tree / "sub" / "file").write_bytes(content)
        return tree

    def list_protectables(self) -> Mapping[str, Any]:
        """Return what Karbor lists, by name, as it is put into a plan."""
        listed = self.karbor.call("GET", f"/protectables/{DIRECTORY}/instances")["instances"]
        return {
            each["name"]: {key: each[key] for key in ("id", "type", "name", "extra_info")}
            for each in listed
        }

    def protect(self, *names: str) -> str:
        """Begin to protect directories; answer the checkpoint's id."""
        offered = self.list_protectables()
        plan = self.karbor.plan(self.provider, [offered[name] for name in names])
        return self.karbor.protect(self.provider, plan)

    def record_keys(self, *names: str) -> set[str]:
        """By what a record of a restore names directories: Karbor's ids, also after a success."""
        offered = self.list_protectables()
        return {f"{offered[name]['type']}#{offered[name]['id']}" for name in names}

    def list_freezer_entries(self) -> list[str]:
        """All entries of Freezer that name this test's folder."""
        configuration = Configuration.from_document({"cloud": "demo"})
        client = FreezerHttpClient(Connection(configuration, self.sandbox.session()), 20)
        return [
            json.dumps(document)
            for collection in ("jobs", "actions", "backups")
            for document in client.iter_entries(collection)
            if str(self.top) in json.dumps(document)
        ]

    def list_containers(self) -> list[Path]:
        """Return the containers that hold data."""
        tops = self.top.glob("karbor-backup/*")
        return [top for top in tops if any(path.is_file() for path in top.rglob("*"))]


@pytest.fixture
def harness(
    make_karbor: Callable[..., KarborService], sandbox: Sandbox, tmp_path: Path
) -> KarborFreezerHarness:
    return start_bench(make_karbor, sandbox, tmp_path)


def start_bench(
    make_karbor: Callable[..., KarborService], sandbox: Sandbox, tmp_path: Path, **attributes: Any
) -> KarborFreezerHarness:
    """Start a Karbor with the Freezer provider."""
    folder = tmp_path / "directories"
    top = sandbox.storage_dir / f"karbor-{uuid.uuid4().hex[:8]}"
    paths = ",".join(str(folder / name) for name in ("first", "second"))
    karbor = make_karbor(
        {"OS_CLIENT_CONFIG_FILE": str(sandbox.clouds_yaml)},
        f"[directory_protectable]\npaths = {paths}",
        **attributes,
    )
    text = (EXAMPLES / "freezer.conf").read_text()
    text = text.replace("/var/lib/freezer/backups", str(top))
    text = text.replace(
        "# cloud = production",
        f"cloud = demo\nscheduler_client_id=node1\ndirectories = {folder}",
    )
    text = text.replace("poll_interval = 20", "poll_interval = 1")
    provider = karbor.add_provider("freezer", text)
    karbor.start()
    return KarborFreezerHarness(karbor, provider, sandbox, folder, top)


def test_lost_directories_are_restored_verified_and_deleted(
    harness: KarborFreezerHarness,
) -> None:
    first, second = harness.make_tree("first", b"one"), harness.make_tree("second", b"two")
    karbor, provider = harness.karbor, harness.provider
    checkpoint = harness.protect("first", "second")
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    assert len(harness.list_containers()) == len((first, second))

    shutil.rmtree(first)
    shutil.rmtree(second)
    restored = karbor.restore(provider, checkpoint)
    assert restored["status"] == "success", restored
    assert set(restored["resources_status"]) == harness.record_keys("first", "second")
    assert (first / "sub" / "file").read_bytes() == b"one"
    assert (second / "sub" / "file").read_bytes() == b"two"

    verified = karbor.verify(provider, checkpoint)
    assert verified["status"] == "success"
    assert karbor.delete(provider, checkpoint) == "deleted"
    assert harness.list_containers() == []
    assert harness.list_freezer_entries() == []


def test_restore_over_an_existing_directory_fails_with_the_reason(
    harness: KarborFreezerHarness,
) -> None:
    tree = harness.make_tree("first", b"one")
    karbor, provider = harness.karbor, harness.provider
    checkpoint = harness.protect("first")
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    restored = karbor.restore(provider, checkpoint)
    assert restored["status"] == "fail"
    assert set(restored["resources_status"]) == harness.record_keys("first")
    (reason,) = restored["resources_reason"].values()
    assert "Karbor takes no 'overwrite' for a restore" in reason
    assert "move what is in the directory away" in reason
    assert set(restored["resources_status"].values()) == {"error"}
    assert (tree / "sub" / "file").read_bytes() == b"one"
    assert karbor.status(provider, checkpoint) == "available"
    assert karbor.delete(provider, checkpoint) == "deleted"
    assert harness.list_freezer_entries() == []


def test_protect_of_a_missing_directory_leaves_no_job(harness: KarborFreezerHarness) -> None:
    karbor, provider = harness.karbor, harness.provider
    checkpoint = harness.protect("first")
    assert karbor.wait_until_settled(provider, checkpoint) == "error"
    assert harness.list_freezer_entries() == []
    assert karbor.delete(provider, checkpoint) == "deleted"


def test_a_killed_protection_service_is_recovered(harness: KarborFreezerHarness) -> None:
    tree = harness.make_tree("first", b"precious")
    karbor, provider = harness.karbor, harness.provider
    with paused_scheduler(harness.sandbox):
        checkpoint = harness.protect("first")
        wait_until(lambda: harness.list_freezer_entries() != [], "the job")
        karbor.stop(signal.SIGKILL)

    recovered = karbor.recover("Freezer")
    assert recovered.returncode == 0, recovered.stderr
    assert f"{checkpoint}: protecting -> available" in recovered.stdout
    assert karbor.recover(provider).stdout == "nothing to recover\n"
    assert harness.list_freezer_entries() != []  # the record of the backup, and no more
    assert len(harness.list_freezer_entries()) == 1
    assert len(harness.list_containers()) == 1

    karbor.start()
    assert karbor.status(provider, checkpoint) == "available"
    shutil.rmtree(tree)
    assert karbor.restore(provider, checkpoint)["status"] == "success"
    assert (tree / "sub" / "file").read_bytes() == b"precious"
    assert karbor.delete(provider, checkpoint) == "deleted"
    assert harness.list_freezer_entries() == []
    assert harness.list_containers() == []


def test_restore_of_a_killed_service_is_completed_and_its_record_ends(
    harness: KarborFreezerHarness,
) -> None:
    tree = harness.make_tree("first", b"precious")
    karbor, provider = harness.karbor, harness.provider
    checkpoint = harness.protect("first")
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    shutil.rmtree(tree)
    before = len(harness.list_freezer_entries())
    with paused_scheduler(harness.sandbox):
        record = karbor.begin("restore", provider, checkpoint)
        wait_until(lambda: len(harness.list_freezer_entries()) > before, "the job")
        karbor.stop(signal.SIGKILL)

    recovered = karbor.recover(provider)
    assert recovered.returncode == 0, recovered.stderr
    assert (tree / "sub" / "file").read_bytes() == b"precious"
    assert len(harness.list_freezer_entries()) == before, (
        "the job is gone, the backup's record stays"
    )

    karbor.start()
    shown = karbor.record("restore", record)
    # Its flow is gone with the process, so that what else it had to do is not known.
    assert shown["status"] == "fail"
    assert set(shown["resources_status"].values()) == {"available"}
    assert set(shown["resources_status"]) == harness.record_keys("first")
    assert karbor.status(provider, checkpoint) == "available"
    assert karbor.delete(provider, checkpoint) == "deleted"


def test_the_secrets_of_a_storage_reach_neither_bank_nor_log(
    harness: KarborFreezerHarness, make_karbor: Callable[..., KarborService]
) -> None:
    harness.make_tree("first", b"one")
    karbor = make_karbor(harness.karbor.environ, harness.karbor.more)
    text = (EXAMPLES / "freezer.conf").read_text().replace("# cloud = production", "cloud = demo")
    text = text.replace("storage = local\n", f"storage = s3\nsecret_key = {CANARY}\n")
    text = text.replace(
        "container = /var/lib/freezer/backups", "endpoint = http://127.0.0.1:1\naccess_key = any"
    )
    text = text.replace("# directories = /srv/data", f"directories = {harness.folder}")
    provider = karbor.add_provider("freezer", text)
    karbor.start()
    plan = karbor.plan(provider, [harness.list_protectables()["first"]])
    checkpoint = karbor.protect(provider, plan)
    assert karbor.wait_until_settled(provider, checkpoint) == "error"
    written = [path for path in karbor.folder.rglob("*") if path.is_file()]
    leaks = [path for path in written if CANARY.encode() in path.read_bytes()]
    assert [path.parent.name for path in leaks] == ["providers.d"]
    assert "when it puts notes on s3" in karbor.log.read_text()
