"""The sandbox as its users see it, on the real servers."""

import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.adapter import Adapter
from openstack.config import OpenStackConfig

from sandbox import Capabilities, NotRunningError, Sandbox, SandboxError
from sandbox.scheduler import CLIENT_ID
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]


def freezer(sandbox: Sandbox, cloud: str = "demo") -> Adapter:
    session = sandbox.session(cloud)
    url = f"{sandbox.freezer_url}/v2/{session.get_project_id()}"
    return Adapter(session, endpoint_override=url, raise_exc=False)


def clients(sandbox: Sandbox, cloud: str = "demo") -> dict[str, Mapping[str, Any]]:
    documents = freezer(sandbox, cloud).get("/clients").json()["clients"]
    return {each["client"]["client_id"]: each["client"] for each in documents}


@pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning")
@pytest.mark.parametrize("cloud", ["demo", "other", "admin"])
def test_every_cloud_of_clouds_yaml_works(sandbox: Sandbox, cloud: str) -> None:
    region = OpenStackConfig(config_files=[str(sandbox.clouds_yaml)]).get_one(cloud=cloud)

    assert region.get_session().get_endpoint(service_type="backup") == sandbox.freezer_url


@pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning")
def test_client_can_use_a_proxy(sandbox: Sandbox, fault_proxy: FaultProxy, tmp_path: Path) -> None:
    path = tmp_path / "clouds.yaml"
    sandbox.write_clouds_yaml(path, freezer_url=fault_proxy.url)
    fault_proxy.plan(http_faults.error_response(503))
    region = OpenStackConfig(config_files=[str(path)]).get_one(cloud="demo")

    api = Adapter(
        region.get_session(), endpoint_override=region.get_endpoint("backup"), raise_exc=False
    )

    answers = [api.get("/").status_code for _ in range(2)]

    assert answers == [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.MULTIPLE_CHOICES]


def test_files_with_secrets_are_readable_by_the_owner_only(sandbox: Sandbox) -> None:
    passwords = {account.password for account in sandbox.accounts.values()}
    home = sandbox.instance.layout.home

    assert len(passwords) == len(sandbox.accounts)
    assert stat.S_IMODE(home.stat().st_mode) == stat.S_IRWXU
    assert stat.S_IMODE(sandbox.clouds_yaml.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR


def test_environment_of_the_caller_is_not_passed_to_the_servers(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_PASSWORD", "of another cloud")

    name = sandbox.add_scheduler("clean")
    process = sandbox.servers[name].process.process()

    assert process is not None
    assert "OS_PASSWORD" not in process.environ()


def test_the_api_keeps_connections_alive(sandbox: Sandbox) -> None:
    answer = freezer(sandbox).get("/jobs")

    assert answer.status_code == HTTPStatus.OK
    assert answer.raw.version_string == "HTTP/1.1"
    assert answer.headers.get("Connection", "keep-alive") == "keep-alive"


def test_api_serves_concurrent_writers(sandbox: Sandbox) -> None:
    api = freezer(sandbox)
    job = {"client_id": CLIENT_ID, "job_actions": [], "job_schedule": {"event": "stop"}}

    with ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(lambda _: api.post("/jobs", json=job).status_code, range(40)))

    assert set(answers) == {HTTPStatus.CREATED}


def test_project_cannot_read_jobs_of_another_project(sandbox: Sandbox) -> None:
    demo = freezer(sandbox)
    created = demo.post(
        "/jobs",
        json={
            "client_id": CLIENT_ID,
            "job_actions": [],
            "job_schedule": {"event": "stop"},
        },
    )
    job = f"/jobs/{created.json()['job_id']}"

    assert demo.get(job).status_code == HTTPStatus.OK
    assert freezer(sandbox, "other").get(job).status_code == HTTPStatus.NOT_FOUND


def test_second_scheduler_declares_the_given_capabilities(sandbox: Sandbox) -> None:
    name = sandbox.add_scheduler(
        "swift-only", capabilities=Capabilities(storages=["swift"], modes=["fs"])
    )

    documents = clients(sandbox)

    assert name in sandbox.servers
    assert set(documents) >= {CLIENT_ID, "swift-only"}
    assert documents["swift-only"]["supported_storages"] == ["swift"]
    assert documents["swift-only"]["supported_modes"] == ["fs"]
    assert "local" in documents[CLIENT_ID]["supported_storages"]


def test_scheduler_of_another_project_runs_its_jobs_only(sandbox: Sandbox) -> None:
    sandbox.add_scheduler("others", cloud="other")

    assert "others" in clients(sandbox, "other")
    assert "others" not in clients(sandbox)


def test_scheduler_that_runs_already_is_kept(sandbox: Sandbox) -> None:
    before = sandbox.servers[f"scheduler-{CLIENT_ID}"]

    sandbox.add_scheduler(CLIENT_ID)

    assert sandbox.servers[f"scheduler-{CLIENT_ID}"] == before


@pytest.mark.parametrize("client_id", ["", "../up", "Node 1"])
def test_a_scheduler_with_a_bad_name_is_refused(sandbox: Sandbox, client_id: str) -> None:
    with pytest.raises(SandboxError, match="cannot name a scheduler"):
        sandbox.add_scheduler(client_id)


def test_an_unknown_cloud_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="no cloud 'prod', only: demo, other, admin"):
        sandbox.session("prod")


def test_job_of_a_stopped_scheduler_is_not_run(sandbox: Sandbox) -> None:
    name = sandbox.add_scheduler("stopped")
    api = freezer(sandbox)
    sandbox.stop(name)
    created = api.post(
        "/jobs",
        json={
            "client_id": "stopped",
            "job_actions": [{"freezer_action": {"action": "info", "storage": "local"}}],
            "job_schedule": {"event": "start", "status": "", "result": ""},
        },
    ).json()["job_id"]
    assert api.get(f"/jobs/{created}").json()["job_schedule"]["event"] == "start"

    sandbox.restart(name)

    wait_until(lambda: not api.get(f"/jobs/{created}").json()["job_schedule"]["event"])


def test_attach_to_an_instance_that_is_not_up_raises() -> None:
    with pytest.raises(NotRunningError, match="'nowhere' is not up"):
        Sandbox.attach(ROOT, instance="nowhere")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A b"])
def test_an_instance_with_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="cannot name an instance"):
        Sandbox.up(ROOT, instance=name)


def test_an_unknown_part_is_refused_before_anything_starts() -> None:
    with pytest.raises(SandboxError, match="no part 'tape'"):
        Sandbox.up(ROOT, instance="nowhere", with_parts=["ssh", "tape"])

    assert not (ROOT / ".sandbox" / "nowhere").exists()
