"""Which scheduler a job is given to."""

import socket
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from karbor_backup_core import InvalidInput, Resource
from karbor_backup_freezer.api.schedulers import SchedulerRegistry
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.resource_types import DIRECTORY, VOLUME
from karbor_backup_freezer.model.storages import Storage, StorageKind
from karbor_backup_freezer.workflows import placement

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


def client_document(client_id: str, hostname: str = "near", **offers: list[str]) -> dict[str, Any]:
    client = {
        "client_id": client_id,
        "hostname": hostname,
        "supported_actions": ["backup", "restore", "admin"],
        "supported_modes": ["fs", "cinder", "nova"],
        "supported_storages": ["local", "swift"],
        "supported_engines": ["tar", "nova"],
        **offers,
    }
    return {"client": client}


class FakeFreezer:
    """The methods of the client that are asked here."""

    def __init__(self, *entries: dict[str, Any], jobs: Sequence[dict[str, Any]] = ()) -> None:
        self.entries = entries
        self.jobs = jobs
        self.asked = 0
        self.asked_for_jobs = 0

    def get_page(self, collection: str, *, limit: int) -> Sequence[dict[str, Any]]:
        assert collection == "jobs"
        self.asked_for_jobs += 1
        return self.jobs[:limit]

    def iter_entries(self, collection: str) -> Iterator[dict[str, Any]]:
        assert collection == "clients"
        self.asked += 1
        return iter(self.entries)


def make_registry(*entries: dict[str, Any]) -> SchedulerRegistry:
    return SchedulerRegistry(FakeFreezer(*entries))  # type: ignore[arg-type]


def job_document(client_id: str, age: float = 0.0, **schedule: str) -> dict[str, Any]:
    created = {"event": "start", "time_created": int(time.time() - age)}
    return {"job_id": uuid.uuid4().hex, "client_id": client_id, "job_schedule": created | schedule}


def choose_scheduler(freezer: FakeFreezer, operation_id: str) -> str:
    """What a process chooses that has just begun."""
    schedulers = SchedulerRegistry(freezer)  # type: ignore[arg-type]
    volume = Resource(VOLUME, "v")
    return placement.choose_for_protect(
        schedulers, None, volume, VOLUME_BACKUP, operation_id
    ).client_id


def test_jobs_of_one_process_are_spread_evenly_for_one_request() -> None:
    freezer = FakeFreezer(client_document("one"), client_document("two"), client_document("three"))
    schedulers = SchedulerRegistry(freezer)  # type: ignore[arg-type]
    volume = Resource(VOLUME, "v")
    counts = Counter(
        placement.choose_for_protect(schedulers, None, volume, VOLUME_BACKUP, str(number)).client_id
        for number in range(30)
    )
    assert counts == {"one": 10, "two": 10, "three": 10}
    assert freezer.asked_for_jobs == 1


def test_processes_that_know_nothing_of_each_other_spread_their_jobs() -> None:
    freezer = FakeFreezer(client_document("one"), client_document("two"))
    counts = Counter(choose_scheduler(freezer, f"operation-{number}") for number in range(60))
    assert min(counts["one"], counts["two"]) > 15
    assert choose_scheduler(freezer, "operation-1") == choose_scheduler(freezer, "operation-1")


def test_scheduler_with_fewer_jobs_is_chosen() -> None:
    running = [
        job_document("one", status="running"),
        job_document("one", status="scheduled"),
        job_document("two"),
    ]
    ended = [job_document("two", status="completed", result="success") for _ in range(5)]
    freezer = FakeFreezer(client_document("one"), client_document("two"), jobs=[*running, *ended])
    assert {choose_scheduler(freezer, str(number)) for number in range(20)} == {"two"}


def test_scheduler_that_has_not_taken_up_an_old_job_is_chosen_last() -> None:
    busy = [job_document("two", 900, status="running") for _ in range(5)]
    freezer = FakeFreezer(
        client_document("one"), client_document("two"), jobs=[job_document("one", 200), *busy]
    )
    assert {choose_scheduler(freezer, str(number)) for number in range(20)} == {"two"}
    alone = FakeFreezer(client_document("one"), jobs=[job_document("one", 200)])
    assert choose_scheduler(alone, "o1") == "one"
    assert alone.asked_for_jobs == 0


def test_the_list_is_remembered_until_it_is_forgotten() -> None:
    freezer = FakeFreezer(client_document("one"))
    schedulers = SchedulerRegistry(freezer)  # type: ignore[arg-type]
    schedulers.list_all()
    schedulers.list_all()
    assert freezer.asked == 1
    schedulers.invalidate()
    schedulers.list_all()
    assert freezer.asked == 2


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
    schedulers = make_registry(client_document("one", **offers), client_document("two", **offers))
    with pytest.raises(InvalidInput) as caught:
        placement.choose_for_protect(schedulers, None, TREE, BACKUP, "o1")
    text = str(caught.value)
    assert f" {missing}" in text.partition(";")[0]
    assert "one on near offers" in text
    assert "two on near offers" in text


def test_a_capability_that_is_not_declared_is_open() -> None:
    schedulers = make_registry({"client": {"client_id": "old", "hostname": "near"}})
    assert placement.choose_for_protect(schedulers, None, TREE, BACKUP, "o1").client_id == "old"


def test_no_scheduler_at_all_is_said() -> None:
    with pytest.raises(InvalidInput, match="none is registered"):
        placement.choose_for_protect(make_registry(), None, TREE, BACKUP, "o1")


def test_the_named_scheduler_is_taken_or_refused() -> None:
    schedulers = make_registry(
        client_document("one"), client_document("two", supported_modes=["nova"])
    )
    assert placement.choose_for_protect(schedulers, "one", TREE, BACKUP, "o1").client_id == "one"
    with pytest.raises(InvalidInput, match="mode fs"):
        placement.choose_for_protect(schedulers, "two", TREE, BACKUP, "o1")
    with pytest.raises(InvalidInput, match="registered: one, two"):
        placement.choose_for_protect(schedulers, "three", TREE, BACKUP, "o1")


def test_a_directory_is_looked_for_on_this_host_first() -> None:
    here = socket.gethostname()
    schedulers = make_registry(
        client_document("one", "far"),
        client_document("two", here),
        client_document("three", "farther"),
    )
    assert placement.choose_for_protect(schedulers, None, TREE, BACKUP, "o1").client_id == "two"


def test_directory_on_several_hosts_is_refused() -> None:
    schedulers = make_registry(client_document("one", "far"), client_document("two", "farther"))
    with pytest.raises(InvalidInput, match="option 'scheduler'"):
        placement.choose_for_protect(schedulers, None, TREE, BACKUP, "o1")


def test_a_backup_goes_back_to_its_own_scheduler_or_host() -> None:
    own = make_registry(
        client_document("one", "far"), client_document("two", "far"), client_document("three")
    )
    assert placement.choose_for_backup(own, None, HANDLE, CLOUD, RESTORE, "o1").client_id == "two"
    gone = make_registry(client_document("one", "far"), client_document("three"))
    assert placement.choose_for_backup(gone, None, HANDLE, CLOUD, RESTORE, "o1").client_id == "one"


def test_host_bound_backup_without_its_host_is_refused() -> None:
    elsewhere = make_registry(client_document("three", "near"))
    with pytest.raises(InvalidInput, match="'two' on host 'far'"):
        placement.choose_for_backup(elsewhere, None, HANDLE, CLOUD, RESTORE, "o1")
    removal = [{"action": "admin", "mode": "fs", "storage": "swift"}]
    with pytest.raises(InvalidInput, match="'two' on host 'far'"):
        placement.choose_for_backup(elsewhere, None, HANDLE, DISK, removal, "o1")
    assert (
        placement.choose_for_backup(elsewhere, None, HANDLE, CLOUD, removal, "o1").client_id
        == "three"
    )
