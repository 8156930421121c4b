"""The fake Freezer does what the real API does: the same calls, made to both."""

import json
import uuid
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from freezerclient.v2.client import Client

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.api.client import Document, FreezerClient
from karbor_backup_freezer.api.http_client import FreezerHttpClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_openstack.connection import Connection
from sandbox import Sandbox, keystone
from sandbox.accounts import Account
from tests.support.fake_freezer import CAPABILITIES, FakeFreezer
from tests.support.fault_proxy import FaultProxy

CLIENT = "one"
ACTION = {
    "action": "backup",
    "mode": "fs",
    "storage": "local",
    "path_to_backup": "/data",
    "container": "top/a",
    "backup_name": "nightly",
    "hostname": "far",
    "secret_key": "s3cr3t",
}
COLLECTIONS = ("jobs", "actions", "backups")


class FreezerProject(Protocol):
    """A project of a Freezer that holds nothing but the scheduler ``CLIENT``."""

    client: FreezerClient

    @abstractmethod
    def requests(self) -> list[str]:
        """Return what was asked so far, such as ``GET jobs``."""

    @abstractmethod
    def set_schedule(self, job_id: str, **schedule: Any) -> None:
        """Replace a job's schedule, as a scheduler does."""

    @abstractmethod
    def add_record(self, metadata: Document) -> str:
        """Add a record of a backup, as an agent does, and return its id."""


class FakeProject(FreezerProject):
    """The fake."""

    def __init__(self) -> None:
        self.client = self.fake = FakeFreezer(CLIENT)

    def requests(self) -> list[str]:
        return self.fake.requests

    def set_schedule(self, job_id: str, **schedule: Any) -> None:
        self.fake.set_schedule(job_id, **schedule)

    def add_record(self, metadata: Document) -> str:
        return self.fake.add_record(metadata)


class RealProject(FreezerProject):
    """A new project of the real Freezer; the backend's requests go through a proxy that lists them.

    What schedulers and agents write goes through python-freezerclient, as they send it.
    """

    def __init__(self, sandbox: Sandbox, proxy: FaultProxy) -> None:
        name = f"fake-{uuid.uuid4().hex}"
        account = Account(name, name, "member")
        keystone.Identity(sandbox.auth_url, sandbox.accounts["admin"]).add_accounts([account])
        session = keystone.session(sandbox.auth_url, account)
        configuration = Configuration.from_document({"endpoint": proxy.url, "timeout": 60})
        self.client = FreezerHttpClient(Connection(configuration, session))
        self._proxy = proxy
        self._start = f"/v2/{session.get_project_id()}/"
        self._scheduler = Client(session=session, endpoint=sandbox.freezer_url)
        registration = {"client_id": CLIENT, "hostname": "near", **CAPABILITIES}
        self._scheduler.clients.create({**registration, "is_central": False})
        # The client asks this once, before its first create.
        assert not self.client.predates_19
        proxy.clear()

    def requests(self) -> list[str]:
        sent = self._proxy.requests
        return [f"{each.method} {each.path.removeprefix(self._start)}" for each in sent]

    def set_schedule(self, job_id: str, **schedule: Any) -> None:
        self._scheduler.jobs.update(job_id, {"job_schedule": schedule})

    def add_record(self, metadata: Document) -> str:
        record_id: str = self._scheduler.backups.create(metadata)
        return record_id

    def clear(self) -> None:
        """Remove everything but the scheduler."""
        for collection, field in zip(
            COLLECTIONS, ("job_id", "action_id", "backup_id"), strict=True
        ):
            for entry in list(self.client.iter_entries(collection)):
                self.client.delete_entry(collection, entry[field])
        self._proxy.clear()


@pytest.fixture(scope="module")
def real_project(sandbox: Sandbox) -> Iterator[RealProject]:
    with FaultProxy(sandbox.freezer_url) as proxy:
        yield RealProject(sandbox, proxy)


@pytest.fixture(params=["fake", "real"])
def project(request: pytest.FixtureRequest) -> Iterator[FreezerProject]:
    if request.param == "fake":
        yield FakeProject()
        return
    real: RealProject = request.getfixturevalue("real_project")
    yield real
    real.clear()


@pytest.fixture
def client(project: FreezerProject) -> FreezerClient:
    return project.client


def new_id() -> str:
    """Return an id that no job has had: Freezer gives each once, over all projects."""
    return uuid.uuid4().hex


def job_document(job_id: str, client_id: str = CLIENT, **fields: Any) -> Document:
    action = {"freezer_action": {**ACTION, **fields}, "max_retries": 0, "max_retries_interval": 1}
    return {
        "job_id": job_id,
        "client_id": client_id,
        "description": "a job",
        "job_schedule": {"event": "start", "status": "", "result": ""},
        "job_actions": [action],
    }


def record_metadata(job_id: str, **fields: Any) -> Document:
    metadata = {
        "container": "top/a",
        "hostname": "far",
        "backup_name": "nightly",
        "time_stamp": 1,
        "curr_backup_level": 0,
        "mode": "fs",
        "job_id": job_id,
    }
    return {**metadata, **fields}


def require_job(client: FreezerClient, job_id: str) -> Document:
    job = client.get_job(job_id)
    assert job is not None
    return job


def create_job(client: FreezerClient, client_id: str = CLIENT, **fields: Any) -> Document:
    """Create a job of one action and return its document."""
    job_id = new_id()
    assert client.create_job(job_document(job_id, client_id, **fields))
    return require_job(client, job_id)


def test_created_job_is_returned_with_its_action(client: FreezerClient) -> None:
    job = create_job(client)
    assert job.keys() == {
        "job_id",
        "client_id",
        "description",
        "job_schedule",
        "job_actions",
        "session_id",
        "session_tag",
        "project_id",
        "user_id",
    }
    assert (job["client_id"], job["description"]) == (CLIENT, "a job")
    schedule = job["job_schedule"]
    assert schedule.pop("time_created") > 0
    assert schedule == {
        "event": "start",
        "status": "",
        "result": "",
        "time_started": -1,
        "time_ended": -1,
    }
    (action,) = job["job_actions"]
    assert action.keys() == {
        "action_id",
        "freezer_action",
        "max_retries",
        "max_retries_interval",
        "project_id",
        "user_id",
    }
    assert (action["max_retries"], action["max_retries_interval"]) == (0, 1)
    empty = {"timeout": None, "priority": None, "log_file": None}
    assert action["freezer_action"] == {**ACTION, **empty}


def test_actions_have_retries_by_default(client: FreezerClient) -> None:
    document = job_document(new_id())
    document["job_actions"] = [{"freezer_action": ACTION}]
    client.create_job(document)
    (action,) = client.get_page("actions", limit=10)
    assert (action["max_retries"], action["max_retries_interval"]) == (5, 6)


def test_used_id_creates_no_job_but_an_action(client: FreezerClient) -> None:
    job = create_job(client)
    assert not client.create_job({**job_document(job["job_id"]), "description": "another"})
    assert require_job(client, job["job_id"]) == job
    assert len(client.get_page("actions", limit=10)) == 2


def test_id_of_a_deleted_job_stays_used(client: FreezerClient) -> None:
    job_id = create_job(client)["job_id"]
    client.delete_entry("jobs", job_id)
    assert client.get_job(job_id) is None
    assert not client.create_job(job_document(job_id))
    assert client.get_job(job_id) is None


def test_unknown_scheduler_is_refused_and_an_action_stays(client: FreezerClient) -> None:
    job_id = new_id()
    with pytest.raises(
        BackendError, match=r"POST jobs with status 422.*Client not found"
    ) as caught:
        client.create_job(job_document(job_id, "nobody"))
    assert not isinstance(caught.value, Transient)
    assert client.get_job(job_id) is None
    assert len(client.get_page("actions", limit=10)) == 1
    assert client.create_job(job_document(job_id)), "the id was not used up"


def test_used_id_is_answered_before_the_scheduler_is_checked(client: FreezerClient) -> None:
    job_id = create_job(client)["job_id"]
    assert not client.create_job(job_document(job_id, "nobody"))
    client.delete_entry("jobs", job_id)
    with pytest.raises(BackendError, match="Client not found"):
        client.create_job(job_document(job_id, "nobody"))


@pytest.mark.parametrize(
    ("field", "value"), [("action", "exec"), ("mode", "mysql"), ("storage", "s3")]
)
def test_action_beyond_the_scheduler_is_refused(
    client: FreezerClient, field: str, value: str
) -> None:
    with pytest.raises(BackendError, match=f"does not support {field}: {value}") as caught:
        create_job(client, **{field: value})
    assert not isinstance(caught.value, Transient)


def test_engine_is_not_checked_against_the_scheduler(client: FreezerClient) -> None:
    assert create_job(client, engine_name="rsync")


def test_unknown_entries_are_none_and_may_be_deleted(client: FreezerClient) -> None:
    unknown = new_id()
    assert client.get_job(unknown) is None
    assert client.get_backup(unknown) is None
    for collection in COLLECTIONS:
        client.delete_entry(collection, unknown)
        assert list(client.iter_entries(collection)) == []


def test_deleted_job_leaves_its_actions(client: FreezerClient) -> None:
    job = create_job(client)
    client.delete_entry("jobs", job["job_id"])
    assert list(client.iter_entries("jobs")) == []
    (action,) = client.iter_entries("actions")
    assert action["action_id"] == job["job_actions"][0]["action_id"]


def test_job_does_not_list_a_deleted_action(client: FreezerClient) -> None:
    job = create_job(client)
    client.delete_entry("actions", job["job_actions"][0]["action_id"])
    assert require_job(client, job["job_id"])["job_actions"] == []
    assert list(client.iter_entries("actions")) == []


def test_stop_changes_the_event_only_and_may_be_repeated(client: FreezerClient) -> None:
    job = create_job(client)
    for _ in range(2):
        client.stop_job(job["job_id"])
        stopped = require_job(client, job["job_id"])
        assert stopped["job_schedule"] == {**job["job_schedule"], "event": "stop"}
        assert stopped["job_actions"] == job["job_actions"]


def test_stop_of_an_ended_job_keeps_its_result(
    project: FreezerProject, client: FreezerClient
) -> None:
    job_id = create_job(client)["job_id"]
    ended = {"event": "", "status": "completed", "result": "success"}
    project.set_schedule(job_id, **ended)
    assert require_job(client, job_id)["job_schedule"] == ended
    client.stop_job(job_id)
    assert require_job(client, job_id)["job_schedule"] == {**ended, "event": "stop"}


def test_stop_of_an_unknown_job_is_refused(client: FreezerClient) -> None:
    job_id = new_id()
    with pytest.raises(BackendError, match="event with status 400") as caught:
        client.stop_job(job_id)
    assert not isinstance(caught.value, Transient)
    assert client.get_job(job_id) is None


def test_stop_of_a_job_with_an_overwritten_action_is_refused(client: FreezerClient) -> None:
    job = create_job(client)
    client.overwrite_action(job["job_actions"][0]["action_id"], ACTION)
    with pytest.raises(BackendError, match="event with status 400"):
        client.stop_job(job["job_id"])
    client.delete_entry("actions", job["job_actions"][0]["action_id"])
    client.stop_job(job["job_id"])


def test_moved_job_has_a_new_schedule_and_keeps_its_actions(
    project: FreezerProject, client: FreezerClient
) -> None:
    job = create_job(client)
    project.set_schedule(job["job_id"], event="stop", status="", result="", current_pid=1)
    client.move_job(job["job_id"], "another")
    moved = require_job(client, job["job_id"])
    assert moved["client_id"] == "another", "which need not be registered"
    created = moved["job_schedule"].pop("time_created")
    assert created >= job["job_schedule"].pop("time_created")
    assert moved == {**job, "client_id": "another"}


def test_move_of_an_unknown_job_is_transient(client: FreezerClient) -> None:
    with pytest.raises(Transient, match="status 404"):
        client.move_job(new_id(), CLIENT)


def test_overwritten_action_keeps_only_what_freezer_has_columns_for(client: FreezerClient) -> None:
    job = create_job(client, timeout=60)
    action_id = job["job_actions"][0]["action_id"]
    client.overwrite_action(action_id, {"action": "restore", "container": "other"})
    ((listed,), (own,)) = (
        client.get_page("actions", limit=10),
        require_job(client, job["job_id"])["job_actions"],
    )
    assert listed["freezer_action"] == own["freezer_action"]
    assert own["freezer_action"] == {
        "action": "restore",
        "container": "other",
        "backup_name": "nightly",
        "path_to_backup": "/data",
        "timeout": 60,
        "mode": None,
        "priority": None,
        "log_file": None,
    }
    assert (own["max_retries"], own["max_retries_interval"]) == (None, None)


def test_overwrite_of_an_unknown_action_is_transient(client: FreezerClient) -> None:
    with pytest.raises(Transient, match="status 404"):
        client.overwrite_action(new_id(), ACTION)


def test_record_is_found_by_its_id_and_its_job(
    project: FreezerProject, client: FreezerClient
) -> None:
    first, second = new_id(), new_id()
    records = [project.add_record(record_metadata(job_id)) for job_id in (first, first, second)]
    record = client.get_backup(records[2])
    assert record is not None
    assert record["backup_id"] == records[2]
    assert record["backup_metadata"].items() >= record_metadata(second).items()
    entries = client.search("backups", "job_id", first)
    assert {entry["backup_id"] for entry in entries} == set(records[:2])
    client.delete_entry("backups", records[0])
    assert client.get_backup(records[0]) is None
    assert [entry["backup_id"] for entry in client.search("backups", "job_id", first)] == [
        records[1]
    ]


def test_search_finds_fields_at_any_depth(client: FreezerClient) -> None:
    jobs = [create_job(client, container=name) for name in ("top/a", "top/b")]
    entries = client.search("actions", "container", "top/b")
    assert [action["action_id"] for action in entries] == [jobs[1]["job_actions"][0]["action_id"]]
    assert client.search("jobs", "container", "top/b") == [jobs[1]]
    assert client.search("jobs", "job_id", jobs[0]["job_id"]) == [jobs[0]]
    assert client.search("jobs", "no_such_field", "top/b") == []


def test_search_uses_the_result_of_the_last_action(client: FreezerClient) -> None:
    document = job_document(new_id())
    document["job_actions"] = [
        {"freezer_action": {**ACTION, "container": name}} for name in ("top/a", "top/b")
    ]
    client.create_job(document)
    assert client.search("jobs", "container", "top/a") == []
    assert len(client.search("jobs", "container", "top/b")) == 1


def test_search_conditions_must_all_match(client: FreezerClient) -> None:
    jobs = [create_job(client, container=name) for name in ("top/a", "top/b")]
    both = {"match": [{"container": "top/a"}, {"job_id": jobs[0]["job_id"]}]}
    assert client.get_page("jobs", limit=10, search=both) == [jobs[0]]
    neither = {"match": [{"container": "top/a"}, {"job_id": jobs[1]["job_id"]}]}
    assert client.get_page("jobs", limit=10, search=neither) == []


@pytest.mark.parametrize("search", [None, {"match": [{"container": "top/a"}]}])
def test_pages_show_each_job_once(client: FreezerClient, search: Document | None) -> None:
    created = {create_job(client)["job_id"] for _ in range(5)}
    create_job(client, container="top/b")
    expected = 5 if search else 6
    pages = [
        client.get_page("jobs", limit=2, offset=offset, search=search) for offset in range(0, 8, 2)
    ]
    assert [len(page) for page in pages] == [2, 2, expected - 4, 0]
    listed = [job["job_id"] for page in pages for job in page]
    assert len(set(listed)) == len(listed)
    assert created <= set(listed)


def test_page_without_limit_has_ten_entries(project: FreezerProject, client: FreezerClient) -> None:
    for _ in range(11):
        project.add_record(record_metadata(new_id()))
    assert len(client.get_page("backups", limit=0)) == 10
    assert len(list(client.iter_entries("backups"))) == 11


def test_scheduler_is_listed_with_its_capabilities(client: FreezerClient) -> None:
    assert not client.predates_19
    (entry,) = client.iter_entries("clients")
    assert entry.keys() == {"client", "project_id", "user_id"}
    scheduler = entry["client"]
    assert scheduler.pop("uuid")
    assert scheduler == {
        "client_id": CLIENT,
        "hostname": "near",
        "description": None,
        "is_central": False,
        **CAPABILITIES,
    }


def test_documents_are_copies(client: FreezerClient) -> None:
    document = job_document(new_id())
    client.create_job(document)
    stored = require_job(client, document["job_id"])
    before = json.dumps(stored)
    stored["job_schedule"]["status"] = "running"
    document["job_actions"][0]["freezer_action"]["container"] = "changed"
    for listed in client.iter_entries("jobs"):
        listed["job_actions"].clear()
    assert json.dumps(require_job(client, document["job_id"])) == before


def test_each_call_is_one_request(project: FreezerProject, client: FreezerClient) -> None:
    job_id = new_id()
    client.create_job(job_document(job_id))
    action_id = require_job(client, job_id)["job_actions"][0]["action_id"]
    client.stop_job(job_id)
    client.move_job(job_id, CLIENT)
    client.overwrite_action(action_id, ACTION)
    client.get_backup("x")
    client.search("backups", "job_id", job_id)
    list(client.iter_entries("jobs"))
    client.delete_entry("actions", action_id)
    client.delete_entry("jobs", job_id)
    client.delete_entry("jobs", job_id)
    assert project.requests() == [
        "POST jobs",
        f"GET jobs/{job_id}",
        f"POST jobs/{job_id}/event",
        f"PATCH jobs/{job_id}",
        f"PATCH actions/{action_id}",
        "GET backups/x",
        "GET backups",
        "GET jobs",
        f"DELETE actions/{action_id}",
        f"DELETE jobs/{job_id}",
        f"DELETE jobs/{job_id}",
    ]
