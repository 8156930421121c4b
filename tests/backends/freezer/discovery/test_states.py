"""What can be backed up in which state."""

from typing import Any

import pytest
from openstack.block_storage.v3.volume import Volume
from openstack.compute.v2.server import Server
from openstack.image.v2.image import Image

from karbor_backup_freezer.discovery.states import volume_problem
from karbor_backup_openstack.discovery.states import image_problem, server_problem


def make_server(status: str, task: str | None = None) -> Server:
    attributes: dict[str, Any] = {"OS-EXT-STS:task_state": task}
    return Server.existing(id="s1", name="web", status=status, **attributes)


def make_volume(status: str, **more: Any) -> Volume:
    return Volume.existing(id="v1", name="data", status=status, **more)


@pytest.mark.parametrize("status", ["ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED"])
def test_server_in_a_protectable_state_is_accepted(status: str) -> None:
    assert server_problem(make_server(status)) == ""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("ERROR", "repair it first"),
        ("DELETED", "repair it first"),
        ("SOFT_DELETED", "repair it first"),
        ("UNKNOWN", "repair it first"),
        ("SHELVED", "unshelve it first"),
        ("SHELVED_OFFLOADED", "unshelve it first"),
        ("BUILD", "it can be backed up in ACTIVE, SHUTOFF, PAUSED or SUSPENDED"),
        ("RESCUE", "it can be backed up in"),
        ("VERIFY_RESIZE", "it can be backed up in"),
        ("MIGRATING", "it can be backed up in"),
    ],
)
def test_a_server_in_another_state_is_refused(status: str, words: str) -> None:
    assert server_problem(make_server(status)).startswith(f"server s1 (web) is in state {status}: ")
    assert words in server_problem(make_server(status))


def test_server_with_a_running_task_is_refused() -> None:
    fault = server_problem(make_server("ACTIVE", "image_snapshot"))
    assert (
        fault == "server s1 (web) is in the middle of the task 'image_snapshot': wait for its end"
    )


@pytest.mark.parametrize("status", ["available", "in-use"])
def test_volume_in_a_protectable_state_is_accepted(status: str) -> None:
    assert volume_problem(make_volume(status)) == ""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("error", "repair it first"),
        ("error_deleting", "repair it first"),
        ("creating", "wait for its end"),
        ("deleting", "wait for its end"),
        ("backing-up", "wait for its end"),
        ("retyping", "wait for its end"),
    ],
)
def test_a_volume_in_another_state_is_refused(status: str, words: str) -> None:
    fault = volume_problem(make_volume(status))
    assert fault.startswith(f"volume v1 (data) is in state {status}: ")
    assert fault.endswith(words)


def test_an_encrypted_volume_is_refused_whatever_its_state() -> None:
    fault = volume_problem(make_volume("available", encrypted=True, volume_type="luks"))
    assert "encrypted, of type 'luks'" in fault


def test_a_migrating_volume_is_refused() -> None:
    migrating = {"os-vol-mig-status-attr:migstat": "migrating"}
    assert "migrating" in volume_problem(make_volume("in-use", **migrating))
    done = {"os-vol-mig-status-attr:migstat": "success"}
    assert volume_problem(make_volume("in-use", **done)) == ""


def test_only_an_active_image_is_accepted() -> None:
    assert image_problem(Image.existing(id="i", name="n", status="active")) == ""
    fault = image_problem(Image.existing(id="i", name="n", status="deactivated"))
    assert fault == "image i (n) is in state deactivated: it can be backed up in active"
