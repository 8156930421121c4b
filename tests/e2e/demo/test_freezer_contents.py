"""Looking for traces: what Freezer keeps must be seen where there is some."""

from pathlib import Path

from examples.demo.freezer_contents import read_contents
from sandbox import Sandbox


def test_jobs_and_backups_in_freezer_are_counted(sandbox: Sandbox, tmp_path: Path) -> None:
    # No other test that may run now leaves anything in this project.
    session = sandbox.session("admin")
    before = read_contents(session, sandbox.freezer_url, tmp_path)
    project = f"{sandbox.freezer_url}/v2/{session.get_project_id()}"
    action = {"freezer_action": {"action": "backup", "mode": "fs", "path_to_backup": "/nowhere"}}
    action_id = session.post(f"{project}/actions", json=action).json()["action_id"]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "data").touch()
    try:
        contents = read_contents(session, sandbox.freezer_url, tmp_path)
    finally:
        session.delete(f"{project}/actions/{action_id}")
    assert contents.listed["actions"] == before.listed["actions"] + 1
    assert (before.files, contents.files) == (0, 1)
    assert not contents.none
