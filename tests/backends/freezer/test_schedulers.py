"""Which scheduler a job is given to."""

import socket
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from karbor_backup_core import InvalidInput, Resource
from karbor_backup_freezer import placement
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.resources import DIRECTORY, VOLUME
from karbor_backup_freezer.schedulers import Schedulers
from karbor_backup_freezer.storages import Kind, Storage

BACKUP = [{"action": "backup", "mode": "fs", "storage": "local", "engine_name": "tar"}]
VOLUME_BACKUP = [{"action": "backup", "mode": "cinder", "storage": "swift"}]
RESTORE = [{"action": "restore", "mode": "fs", "storage": "swift", "restore_abs_path": "/srv"}]
DISK = Storage("disk", Kind.LOCAL, {"path": "/srv"})
CLOUD = Storage("cloud", Kind.SWIFT, {})
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


def entry(client_id: str, hostname: str = "near", **offers: list[str]) -> dict[str, Any]:
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


class Freezer:
    """The methods of the client that are asked here."""

    def __init__(self, *entries: dict[str, Any], jobs: Sequence[dict[str, Any]] = ()) -> None:
        self.entries = entries
        self.jobs = jobs
        self.asked = 0
        self.asked_for_jobs = 0

    def page(self, collection: str, *, limit: int) -> Sequence[dict[str, Any]]:
        assert collection == "jobs"
        self.asked_for_jobs += 1
        return self.jobs[:limit]

    def all(self, collection: str) -> Iterator[dict[str, Any]]:
        assert collection == "clients"
        self.asked += 1
        return iter(self.entries)


def known(*entries: dict[str, Any]) -> Schedulers:
    return Schedulers(Freezer(*entries))  # type: ignore[arg-type]


def job(client_id: str, age: float = 0.0, **schedule: str) -> dict[str, Any]:
    created = {"event": "start", "time_created": int(time.time() - age)}
    return {"job_id": uuid.uuid4().hex, "client_id": client_id, "job_schedule": created | schedule}


def chosen(freezer: Freezer, operation_id: str) -> str:
    """What a process chooses that has just begun."""
    schedulers = Schedulers(freezer)  # type: ignore[arg-type]
    volume = Resource(VOLUME, "v")
    return placement.for_protect(schedulers, None, volume, VOLUME_BACKUP, operation_id).client_id


def test_jobs_of_one_process_are_spread_evenly_for_one_request() -> None:
    freezer = Freezer(entry("one"), entry("two"), entry("three"))
    schedulers = Schedulers(freezer)  # type: ignore[arg-type]
    volume = Resource(VOLUME, "v")
    counts = Counter(
        placement.for_protect(schedulers, None, volume, VOLUME_BACKUP, str(number)).client_id
        for number in range(30)
    )
    assert counts == {"one": 10, "two": 10, "three": 10}
    assert freezer.asked_for_jobs == 1


def test_processes_that_know_nothing_of_each_other_spread_their_jobs() -> None:
    freezer = Freezer(entry("one"), entry("two"))
    counts = Counter(chosen(freezer, f"operation-{number}") for number in range(60))
    assert min(counts["one"], counts["two"]) > 15
    assert chosen(freezer, "operation-1") == chosen(freezer, "operation-1")


def test_scheduler_with_fewer_jobs_is_chosen() -> None:
    running = [job("one", status="running"), job("one", status="scheduled"), job("two")]
    ended = [job("two", status="completed", result="success") for _ in range(5)]
    freezer = Freezer(entry("one"), entry("two"), jobs=[*running, *ended])
    assert {chosen(freezer, str(number)) for number in range(20)} == {"two"}


def test_scheduler_that_has_not_taken_up_an_old_job_is_chosen_last() -> None:
    busy = [job("two", 900, status="running") for _ in range(5)]
    freezer = Freezer(entry("one"), entry("two"), jobs=[job("one", 200), *busy])
    assert {chosen(freezer, str(number)) for number in range(20)} == {"two"}
    alone = Freezer(entry("one"), jobs=[job("one", 200)])
    assert chosen(alone, "o1") == "one"
    assert alone.asked_for_jobs == 0


def test_the_list_is_remembered_until_it_is_forgotten() -> None:
    freezer = Freezer(entry("one"))
    schedulers = Schedulers(freezer)  # type: ignore[arg-type]
    schedulers.all()
    schedulers.all()
    assert freezer.asked == 1
    schedulers.forget()
    schedulers.all()
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
def test_none_that_fits_is_said_with_what_was_asked_and_what_is_offered(
    offers: dict[str, list[str]], missing: str
) -> None:
    schedulers = known(entry("one", **offers), entry("two", **offers))
    with pytest.raises(InvalidInput) as caught:
        placement.for_protect(schedulers, None, TREE, BACKUP, "o1")
    text = str(caught.value)
    assert f" {missing}" in text.partition(";")[0]
    assert "one on near offers" in text
    assert "two on near offers" in text


def test_a_capability_that_is_not_declared_is_open() -> None:
    schedulers = known({"client": {"client_id": "old", "hostname": "near"}})
    assert placement.for_protect(schedulers, None, TREE, BACKUP, "o1").client_id == "old"


def test_no_scheduler_at_all_is_said() -> None:
    with pytest.raises(InvalidInput, match="none is registered"):
        placement.for_protect(known(), None, TREE, BACKUP, "o1")


def test_the_named_scheduler_is_taken_or_refused() -> None:
    schedulers = known(entry("one"), entry("two", supported_modes=["nova"]))
    assert placement.for_protect(schedulers, "one", TREE, BACKUP, "o1").client_id == "one"
    with pytest.raises(InvalidInput, match="mode fs"):
        placement.for_protect(schedulers, "two", TREE, BACKUP, "o1")
    with pytest.raises(InvalidInput, match="registered: one, two"):
        placement.for_protect(schedulers, "three", TREE, BACKUP, "o1")


def test_a_directory_is_looked_for_on_this_host_first() -> None:
    here = socket.gethostname()
    schedulers = known(entry("one", "far"), entry("two", here), entry("three", "farther"))
    assert placement.for_protect(schedulers, None, TREE, BACKUP, "o1").client_id == "two"


def test_where_a_directory_is_is_not_guessed() -> None:
    schedulers = known(entry("one", "far"), entry("two", "farther"))
    with pytest.raises(InvalidInput, match="option 'scheduler'"):
        placement.for_protect(schedulers, None, TREE, BACKUP, "o1")


def test_a_backup_goes_back_to_its_own_scheduler_or_host() -> None:
    own = known(entry("one", "far"), entry("two", "far"), entry("three"))
    assert placement.for_backup(own, None, HANDLE, CLOUD, RESTORE, "o1").client_id == "two"
    gone = known(entry("one", "far"), entry("three"))
    assert placement.for_backup(gone, None, HANDLE, CLOUD, RESTORE, "o1").client_id == "one"


def test_what_is_bound_to_a_host_that_is_gone_is_refused() -> None:
    elsewhere = known(entry("three", "near"))
    with pytest.raises(InvalidInput, match="'two' on host 'far'"):
        placement.for_backup(elsewhere, None, HANDLE, CLOUD, RESTORE, "o1")
    removal = [{"action": "admin", "mode": "fs", "storage": "swift"}]
    with pytest.raises(InvalidInput, match="'two' on host 'far'"):
        placement.for_backup(elsewhere, None, HANDLE, DISK, removal, "o1")
    assert placement.for_backup(elsewhere, None, HANDLE, CLOUD, removal, "o1").client_id == "three"
