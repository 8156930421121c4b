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
from sandbox.openstack.lab import CloudLab
from tests.e2e.cloud.things import Things, until

ROOT = Path(__file__).parents[3]


def test_a_guest_sees_its_image_and_what_is_written_to_its_disk(
    lab: CloudLab, make_image: Callable[..., str], make_server: Callable[..., str]
) -> None:
    server = make_server("guest", make_image("image"))
    assert lab.guest_texts(server) == ["image"]

    lab.write_disk(server, guest.TEXT_OFFSET, b"written later")

    assert lab.read_disk(server, guest.TEXT_OFFSET, 13) == b"written later"
    assert lab.guest_texts(server) == ["written later"]


def test_a_guest_sees_the_volume_that_it_boots_from(
    lab: CloudLab, make_image: Callable[..., str], things: Things
) -> None:
    root = things.volume("root", image_id=make_image("image"))
    lab.write_volume(root, guest.TEXT_OFFSET, b"the volume\0")

    server = things.server_from_volume("guest", root, things.volume("data"))

    assert lab.guest_texts(server) == ["the volume"]


def test_an_attached_volume_is_read_and_written_and_detached(
    lab: CloudLab,
    sdk: Connection,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
    make_volume: Callable[..., str],
) -> None:
    volume = make_volume("data", b"before")
    server = make_server("user", make_image("image"))
    sdk.compute.create_volume_attachment(server, volume_id=volume)
    until(lambda: sdk.block_storage.get_volume(volume).status == "in-use")

    assert lab.read_volume(volume, 0, 6) == b"before"
    lab.write_volume(volume, 3, b"after")
    assert lab.read_volume(volume, 0, 8) == b"befafter"

    sdk.compute.delete_volume_attachment(server, volume)
    until(lambda: sdk.block_storage.get_volume(volume).status == "available")
    assert lab.read_volume(volume, 0, 8) == b"befafter"


def test_a_volume_with_a_snapshot_is_read_and_written(
    lab: CloudLab, sdk: Connection, make_volume: Callable[..., str], things: Things
) -> None:
    volume = make_volume("data", b"old")
    snapshot = sdk.block_storage.create_snapshot(volume_id=volume, name=f"{things.top}-snapshot")
    sdk.block_storage.wait_for_status(snapshot, "available", interval=0.3, wait=60)

    lab.write_volume(volume, 0, b"new")

    assert lab.read_volume(volume, 0, 3) == b"new"
    restored = make_volume("restored", snapshot_id=snapshot.id)
    assert lab.read_volume(restored, 0, 3) == b"old"


def test_a_disk_that_is_not_there_is_named(lab: CloudLab) -> None:
    with pytest.raises(SandboxError, match="There is no volume nothing: "):
        lab.read_volume("nothing", 0, 1)
    with pytest.raises(SandboxError, match="There is no disk of the server nobody: "):
        lab.read_disk("nobody", 0, 1)


@pytest.mark.alone
def test_glance_is_full_for_a_while(lab: CloudLab, make_image: Callable[..., str]) -> None:
    with lab.fill_images(), pytest.raises(HttpException) as raised:
        make_image("large", bytes(1 << 20))
    assert raised.value.status_code == 413

    make_image("small", bytes(1 << 20))


@pytest.mark.alone
def test_volumes_fail_for_a_while(
    lab: CloudLab, sdk: Connection, make_volume: Callable[..., str], things: Things
) -> None:
    with lab.break_new_volumes():
        broken = sdk.block_storage.create_volume(name=f"{things.top}-broken", size=1)
        until(lambda: sdk.block_storage.get_volume(broken).status == "error")

    make_volume("fine")


def test_the_inventory_has_what_is_there(
    lab: CloudLab, make_volume: Callable[..., str], things: Things
) -> None:
    before = lab.inventory()
    volume = make_volume("listed")
    listed = ("volume", volume, f"{things.top}-listed")

    assert listed not in before
    assert listed in lab.inventory()
    assert listed not in lab.inventory("other")


def test_nothing_outlives_a_cloud_whose_owner_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = f"""
import os, pathlib, time
from sandbox import Sandbox
from tests.e2e.cloud.things import Things
name = pathlib.Path(os.environ["OS_CLIENT_CONFIG_FILE"]).parent.name
lab = Sandbox.attach(pathlib.Path({str(ROOT)!r}), instance=name).cloud_lab
things = Things(lab, lab.connection(), "outliving")
things.server("guest", things.image("image"))
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
        patiently = until.retry_with(stop=tenacity.stop_after_delay(600))
        patiently(lambda: ready.exists() or owner.poll() is not None)
        home = ROOT / ".sandbox" / f"run-{owner.pid}"
        taps = {path.name for path in (home / "taps").iterdir()}
        assert taps & set(psutil.net_if_addrs())
        assert any(str(home) in line for line in _guests())
        owner.send_signal(signal.SIGKILL)

    until(lambda: not home.exists())
    assert not taps & set(psutil.net_if_addrs())
    assert not any(str(home) in line for line in _guests())
    assert str(home) not in Path("/proc/self/mounts").read_text()


def _guests() -> list[str]:
    """The command lines of the virtual machines that run on this machine."""
    found = psutil.process_iter(["name", "cmdline"])
    return [
        " ".join(process.info["cmdline"] or ())
        for process in found
        if process.info["name"].startswith("qemu-system")
    ]
