"""The cloud itself: its guests see their disks, and the hands that tests have in it work."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import tenacity
from openstack.connection import Connection
from openstack.exceptions import HttpException

from sandbox import SandboxError
from sandbox.openstack import guest
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.owned_resources import OwnedResources, wait_until

ROOT = Path(__file__).parents[3]


def test_guest_reads_its_image_and_data_written_to_its_disk(
    cloud_tools: CloudTestTools, make_image: Callable[..., str], make_server: Callable[..., str]
) -> None:
    server = make_server("guest", make_image("image"))
    assert cloud_tools.guest_texts(server) == ["image"]

    cloud_tools.write_disk(server, guest.TEXT_OFFSET, b"written later")

    assert cloud_tools.read_disk(server, guest.TEXT_OFFSET, 13) == b"written later"
    assert cloud_tools.guest_texts(server) == ["written later"]


def test_guest_reads_the_volume_that_it_boots_from(
    cloud_tools: CloudTestTools, make_image: Callable[..., str], owned_resources: OwnedResources
) -> None:
    root = owned_resources.make_volume("root", image_id=make_image("image"))
    cloud_tools.write_volume(root, guest.TEXT_OFFSET, b"the volume\0")

    server = owned_resources.make_server_from_volume(
        "guest", root, owned_resources.make_volume("data")
    )

    assert cloud_tools.guest_texts(server) == ["the volume"]


def test_an_attached_volume_is_read_and_written_and_detached(
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
    make_volume: Callable[..., str],
) -> None:
    volume = make_volume("data", b"before")
    server = make_server("user", make_image("image"))
    sdk.compute.create_volume_attachment(server, volume_id=volume)
    wait_until(lambda: sdk.block_storage.get_volume(volume).status == "in-use")

    assert cloud_tools.read_volume(volume, 0, 6) == b"before"
    cloud_tools.write_volume(volume, 3, b"after")
    assert cloud_tools.read_volume(volume, 0, 8) == b"befafter"

    sdk.compute.delete_volume_attachment(server, volume)
    wait_until(lambda: sdk.block_storage.get_volume(volume).status == "available")
    assert cloud_tools.read_volume(volume, 0, 8) == b"befafter"


def test_a_volume_with_a_snapshot_is_read_and_written(
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_volume: Callable[..., str],
    owned_resources: OwnedResources,
) -> None:
    volume = make_volume("data", b"old")
    snapshot = sdk.block_storage.create_snapshot(
        volume_id=volume, name=f"{owned_resources.top}-snapshot"
    )
    sdk.block_storage.wait_for_status(snapshot, "available", interval=0.3, wait=60)

    cloud_tools.write_volume(volume, 0, b"new")

    assert cloud_tools.read_volume(volume, 0, 3) == b"new"
    restored = make_volume("restored", snapshot_id=snapshot.id)
    assert cloud_tools.read_volume(restored, 0, 3) == b"old"


def test_missing_disk_is_named(cloud_tools: CloudTestTools) -> None:
    with pytest.raises(SandboxError, match="There is no volume nothing: "):
        cloud_tools.read_volume("nothing", 0, 1)
    with pytest.raises(SandboxError, match="There is no disk of the server nobody: "):
        cloud_tools.read_disk("nobody", 0, 1)


@pytest.mark.alone
def test_glance_can_be_made_full(
    cloud_tools: CloudTestTools, make_image: Callable[..., str]
) -> None:
    with cloud_tools.fill_images(), pytest.raises(HttpException) as raised:
        make_image("large", bytes(1 << 20))
    assert raised.value.status_code == 413

    make_image("small", bytes(1 << 20))


@pytest.mark.alone
def test_volume_creation_can_be_made_to_fail(
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_volume: Callable[..., str],
    owned_resources: OwnedResources,
) -> None:
    with cloud_tools.break_new_volumes():
        broken = sdk.block_storage.create_volume(name=f"{owned_resources.top}-broken", size=1)
        wait_until(lambda: sdk.block_storage.get_volume(broken).status == "error")

    make_volume("fine")


def test_inventory_lists_all_resources(
    cloud_tools: CloudTestTools, make_volume: Callable[..., str], owned_resources: OwnedResources
) -> None:
    before = cloud_tools.inventory()
    volume = make_volume("listed")
    listed = ("volume", volume, f"{owned_resources.top}-listed")

    assert listed not in before
    assert listed in cloud_tools.inventory()
    assert listed not in cloud_tools.inventory("other")


def test_cloud_of_a_killed_owner_leaves_no_process(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = f"""
import os, pathlib, time
from sandbox import Sandbox
from tests.e2e.cloud.owned_resources import OwnedResources
name = pathlib.Path(os.environ["OS_CLIENT_CONFIG_FILE"]).parent.name
cloud_tools = Sandbox.attach(pathlib.Path({str(ROOT)!r}), instance=name).cloud_test_tools
owned_resources = OwnedResources(cloud_tools, cloud_tools.connection(), "outliving")
owned_resources.make_server("guest", owned_resources.make_image("image"))
pathlib.Path({str(ready)!r}).touch()
time.sleep(600)
"""
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "run",
        "--with",
        "cloud",
        sys.executable,
        "-c",
        code,
    ]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as owner:
        patiently = wait_until.retry_with(stop=tenacity.stop_after_delay(600))
        patiently(lambda: ready.exists() or owner.poll() is not None)
        assert owner.poll() is None, "the owner has failed: see its output"
        home = ROOT / ".sandbox" / f"run-{owner.pid}"
        taps = {path.name for path in (home / "taps").iterdir()}
        assert taps & set(psutil.net_if_addrs())
        assert any(str(home) in line for line in _guest_command_lines())
        owner.send_signal(signal.SIGKILL)

    wait_until(lambda: not home.exists())
    assert not taps & set(psutil.net_if_addrs())
    assert not any(str(home) in line for line in _guest_command_lines())
    assert str(home) not in Path("/proc/self/mounts").read_text()


def _guest_command_lines() -> list[str]:
    """Return the command lines of the virtual machines that run on this machine."""
    processes = psutil.process_iter(["name", "cmdline"])
    return [
        " ".join(process.info["cmdline"] or ())
        for process in processes
        if process.info["name"].startswith("qemu-system")
    ]
