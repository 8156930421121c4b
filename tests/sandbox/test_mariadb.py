"""The Freezer API on MariaDB takes what SQLite would refuse: writes at the same time."""

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from keystoneauth1.adapter import Adapter

from sandbox import Sandbox, SandboxError, scheduler
from sandbox.scheduler import CLIENT_ID

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def on_mariadb() -> Iterator[Sandbox]:
    name = f"mariadb-{os.getpid()}"
    with Sandbox.up(ROOT, instance=name, freezer_database="mariadb") as sandbox:
        sandbox.stop(scheduler.name(CLIENT_ID))  # nobody is to run the jobs
        yield sandbox


@pytest.fixture
def freezer(on_mariadb: Sandbox) -> Adapter:
    session = on_mariadb.session()
    url = f"{on_mariadb.freezer_url}/v2/{session.get_project_id()}"
    return Adapter(session, endpoint_override=url)


def make_job(freezer: Adapter, description: str) -> str:
    action = {"action": "backup", "path_to_backup": "nowhere", "container": "nowhere"}
    body = {
        "client_id": CLIENT_ID,
        "description": description,
        "job_schedule": {"event": "start", "status": "", "result": ""},
        "job_actions": [{"freezer_action": action, "max_retries": 0, "max_retries_interval": 1}],
    }
    return str(freezer.post("/jobs", json=body).json()["job_id"])


def test_concurrent_clients_create_jobs(freezer: Adapter) -> None:
    with ThreadPoolExecutor(16) as clients:
        jobs = set(clients.map(make_job, [freezer] * 100, map(str, range(100))))

    assert len(jobs) == 100


def test_restarted_server_has_its_data(on_mariadb: Sandbox, freezer: Adapter) -> None:
    description = uuid.uuid4().hex
    job_id = make_job(freezer, description)

    on_mariadb.restart("freezer-api-mariadb")

    assert freezer.get(f"/jobs/{job_id}").json()["description"] == description


def test_a_sandbox_on_another_database_is_refused(on_mariadb: Sandbox) -> None:
    with pytest.raises(SandboxError, match="its Freezer API on mariadb, not sqlite"):
        Sandbox.up(ROOT, instance=on_mariadb.instance.layout.name)
