"""A job goes its whole way through the real Freezer."""

import filecmp
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.adapter import Adapter

from sandbox import Sandbox
from sandbox.ftp import Ftp
from sandbox.scheduler import CLIENT_ID
from tests.support.waiting import wait_until

Job = dict[str, Any]


@pytest.fixture
def freezer(sandbox: Sandbox) -> Adapter:
    session = sandbox.session()
    url = f"{sandbox.freezer_url}/v2/{session.get_project_id()}"
    return Adapter(session, endpoint_override=url)


@pytest.fixture
def run_action(freezer: Adapter) -> Callable[..., str]:
    def run_action(client_id: str = CLIENT_ID, **action: Any) -> str:
        body = {
            "client_id": client_id,
            "description": "smoke test",
            "job_schedule": {"event": "start", "status": "", "result": ""},
            "job_actions": [
                {"freezer_action": action, "max_retries": 0, "max_retries_interval": 1}
            ],
        }
        job_id = freezer.post("/jobs", json=body).json()["job_id"]

        def read_result() -> Any:
            return freezer.get(f"/jobs/{job_id}").json()["job_schedule"].get("result")

        return str(wait_until(read_result))

    return run_action


@pytest.fixture
def storage(request: pytest.FixtureRequest, sandbox: Sandbox) -> Job:
    """Return an action's fields for a place of its own on a kind of storage."""
    name = uuid.uuid4().hex
    match request.param:
        case "ssh":
            server = sandbox.ssh
            return {
                "storage": "ssh",
                "container": str(server.directory / name),
                "ssh_host": server.host,
                "ssh_port": server.port,
                "ssh_username": server.user,
                "ssh_key": str(server.key),
            }
        case "swift":
            assert sandbox.swift
            return {"storage": "swift", "container": name}
        case _:
            return {"storage": "local", "container": str(sandbox.storage_dir / name)}


@pytest.mark.parametrize("storage", ["local", "ssh", "swift"], indirect=True)
def test_directory_is_restored(
    storage: Job, run_action: Callable[..., str], tmp_path: Path
) -> None:
    source, restored = tmp_path / "source", tmp_path / "restored"
    source.mkdir()
    restored.mkdir()
    (source / "content").write_bytes(bytes(range(256)))
    stored = {"mode": "fs", "backup_name": "smoke", **storage}

    assert run_action(action="backup", path_to_backup=str(source), **stored) == "success"
    assert run_action(action="restore", restore_abs_path=str(restored), **stored) == "success"

    assert filecmp.cmpfiles(source, restored, ["content"], shallow=False)[0] == ["content"]


def test_agent_writes_its_files_inside_the_sandbox(
    sandbox: Sandbox, ftp: Ftp, run_action: Callable[..., str], tmp_path: Path
) -> None:
    stored = {
        "mode": "fs",
        "storage": "ftp",
        "container": f"/{uuid.uuid4().hex}",
        "backup_name": "smoke",
        "ftp_host": ftp.host,
        "ftp_port": ftp.port,
        "ftp_username": ftp.user,
        "ftp_password": ftp.password,
    }
    (tmp_path / "content").touch()
    server_name = sandbox.add_scheduler("observed")

    assert run_action("observed", action="backup", path_to_backup=str(tmp_path), **stored)
    sandbox.stop(server_name)  # no file is to go while it is looked at

    home = sandbox.instance.layout.scheduler("observed")
    betrayed = {
        str(path.relative_to(home).parent)
        for path in home.rglob("*")
        if path.is_file() and ftp.password in path.read_text(errors="replace")
    }
    assert betrayed == {".freezer", "jobs"}, "sandbox/README.md names the places"
