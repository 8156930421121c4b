"""Which scheduler a job is given to."""

import socket
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from karbor_backup_core import InvalidInput, Resource
from karbor_backup_freezer.api.schedulers import SchedulerRegistry
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import Storage, StorageKind
from karbor_backup_freezer.workflows import placement
from karbor_backup_openstack.resource_types import VOLUME
from tests.support.fake_freezer import CAPABILITIES, FakeFreezer

BACKUP = [{"action": "backup", "mode": "fs", "storage": "local", "engine_name": "tar"}]
VOLUME_BACKUP = [{"action": "backup", "mode": "cinder", "storage": "swift"}]
RESTORE = [{"action": "restore", "mode": "fs", "storage": "swift", "restore_abs_path": "/srv"}]
DISK = Storage("disk", StorageKind.LOCAL, {"path": "/srv"})
CLOUD = Storage("cloud", StorageKind.SWIFT, {})
HANDLE = Handle(
    kind="swift",
    container="c",
    backup_name="n",
    hostname="far",
    client="two",
    job="j",
    agent_version="19.0.0",
)
TREE = Resource(DIRECTORY, "/srv/data")


def freezer_with(**schedulers: Mapping[str, Any]) -> FakeFreezer:
    """Return a Freezer with schedulers by client id."""
    freezer = FakeFreezer()
    for client_id, fields in schedulers.items():
        freezer.register(client_id, **fields)
    return freezer


def add_job(freezer: FakeFreezer, client_id: str, age: float = 0.0, **schedule: str) -> None:
    """Add a job that was created some seconds ago."""
    job_id = uuid.uuid4().hex
    freezer.create_job({"job_id": job_id, "client_id": client_id})
    created = {"event": "start", "time_created": int(time.time() - age)}
    freezer.set_schedule(job_id, **created | schedule)


def make_registry(**schedulers: Mapping[str, Any]) -> SchedulerRegistry:
    return SchedulerRegistry(freezer_with(**schedulers))


def choose_scheduler(freezer: FakeFreezer, operation_id: str) -> str:
    """Return what a process chooses that has just begun."""
    schedulers = SchedulerRegistry(freezer)
    volume = Resource(VOLUME, "v")
    return placement.choose_for_protect(
        schedulers, None, volume, VOLUME_BACKUP, operation_id
    ).client_id


def test_one_process_spreads_jobs_evenly_with_one_request() -> None:
    freezer = FakeFreezer("one", "two", "three")
    schedulers = SchedulerRegistry(freezer)
    volume = Resource(VOLUME, "v")
    counts = Counter(
        placement.choose_for_protect(schedulers, None, volume, VOLUME_BACKUP, str(number)).client_id
        for number in range(30)
    )
    assert counts == {"one": 10, "two": 10, "three": 10}
    assert freezer.requests.count("GET jobs") == 1


def test_independent_processes_spread_their_jobs() -> None:
    freezer = FakeFreezer("one", "two")
    counts = Counter(choose_scheduler(freezer, f"operation-{number}") for number in range(60))
    assert min(counts["one"], counts["two"]) > 15
    assert choose_scheduler(freezer, "operation-1") == choose_scheduler(freezer, "operation-1")


def test_scheduler_with_fewer_jobs_is_chosen() -> None:
    freezer = FakeFreezer("one", "two")
    add_job(freezer, "one", status="running")
    add_job(freezer, "one", status="scheduled")
    add_job(freezer, "two")
    for _ in range(5):
        add_job(freezer, "two", status="completed", result="success")
    assert {choose_scheduler(freezer, str(number)) for number in range(20)} == {"two"}


def test_silent_scheduler_is_chosen_last() -> None:
    freezer = FakeFreezer("one", "two")
    add_job(freezer, "one", 200)
    for _ in range(5):
        add_job(freezer, "two", 900, status="running")
    assert {choose_scheduler(freezer, str(number)) for number in range(20)} == {"two"}
    alone = FakeFreezer("one")
    add_job(alone, "one", 200)
    assert choose_scheduler(alone, "o1") == "one"
    assert "GET jobs" not in alone.requests


def test_scheduler_list_is_cached_until_invalidated() -> None:
    freezer = FakeFreezer("one")
    schedulers = SchedulerRegistry(freezer)
    schedulers.list_all()
    schedulers.list_all()
    assert freezer.requests == ["GET clients"]
    schedulers.invalidate()
    schedulers.list_all()
    assert freezer.requests == ["GET clients"] * 2


@pytest.mark.parametrize(
    ("offers", "missing"),
    [
        ({"supported_actions": ["restore"]}, "backup"),
        ({"supported_modes": ["nova"]}, "fs"),
        ({"supported_storages": []}, "local"),
        ({"supported_engines": ["nova"]}, "tar"),
    ],
)
def test_no_capable_scheduler_error_names_requirements_and_offers(
    offers: dict[str, list[str]], missing: str
) -> None:
    schedulers = make_registry(one=offers, two=offers)
    with pytest.raises(InvalidInput) as caught:
        placement.choose_for_protect(schedulers, None, TREE, BACKUP, "o1")
    text = str(caught.value)
    assert f" {missing}" in text.partition(";")[0]
    assert "one on near offers" in text
    assert "two on near offers" in text


def test_scheduler_without_declared_capabilities_is_used() -> None:
    schedulers = make_registry(old=dict.fromkeys(CAPABILITIES))
    assert placement.choose_for_protect(schedulers, None, TREE, BACKUP, "o1").client_id == "old"


def test_error_without_schedulers_names_the_cause() -> None:
    with pytest.raises(InvalidInput, match="none is registered"):
        placement.choose_for_protect(make_registry(), None, TREE, BACKUP, "o1")


def test_named_scheduler_is_used_or_refused() -> None:
    schedulers = make_registry(one={}, two={"supported_modes": ["nova"]})
    assert placement.choose_for_protect(schedulers, "one", TREE, BACKUP, "o1").client_id == "one"
    with pytest.raises(InvalidInput, match="mode fs"):
        placement.choose_for_protect(schedulers, "two", TREE, BACKUP, "o1")
    with pytest.raises(InvalidInput, match="there are: one, two"):
        placement.choose_for_protect(schedulers, "three", TREE, BACKUP, "o1")


def test_directory_goes_to_the_scheduler_on_this_host() -> None:
    here = socket.gethostname()
    schedulers = make_registry(
        one={"hostname": "far"}, two={"hostname": here}, three={"hostname": "farther"}
    )
    assert placement.choose_for_protect(schedulers, None, TREE, BACKUP, "o1").client_id == "two"


def test_directory_on_several_hosts_is_refused() -> None:
    schedulers = make_registry(one={"hostname": "far"}, two={"hostname": "farther"})
    with pytest.raises(InvalidInput, match="option 'scheduler'"):
        placement.choose_for_protect(schedulers, None, TREE, BACKUP, "o1")


def test_restore_goes_to_the_scheduler_or_host_of_the_backup() -> None:
    own = make_registry(one={"hostname": "far"}, two={"hostname": "far"}, three={})
    assert placement.choose_for_backup(own, None, HANDLE, CLOUD, RESTORE, "o1").client_id == "two"
    gone = make_registry(one={"hostname": "far"}, three={})
    assert placement.choose_for_backup(gone, None, HANDLE, CLOUD, RESTORE, "o1").client_id == "one"


def test_host_bound_backup_without_its_host_is_refused() -> None:
    elsewhere = make_registry(three={})
    with pytest.raises(InvalidInput, match="'two' on host 'far'"):
        placement.choose_for_backup(elsewhere, None, HANDLE, CLOUD, RESTORE, "o1")
    removal = [{"action": "admin", "mode": "fs", "storage": "swift"}]
    with pytest.raises(InvalidInput, match="'two' on host 'far'"):
        placement.choose_for_backup(elsewhere, None, HANDLE, DISK, removal, "o1")
    assert (
        placement.choose_for_backup(elsewhere, None, HANDLE, CLOUD, removal, "o1").client_id
        == "three"
    )
