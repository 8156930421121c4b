"""The scripted agent's directories: what it stores and brings back, and where it fails."""

from pathlib import Path

import pytest

from tests.support.scripted_agent import AgentError, ScriptedAgent, parse_action


@pytest.fixture
def agent(tmp_path: Path) -> ScriptedAgent:
    return ScriptedAgent(tmp_path / "store", "host")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "empty").mkdir(parents=True)
    (tree / "Zürich ☃").write_bytes(b"\x00\xff")
    (tree / "link").symlink_to("nowhere")
    return tree


def _action(tmp_path: Path, action: str, **fields: str) -> dict[str, str]:
    place = {"storage": "local", "container": str(tmp_path / "container"), "backup_name": "n"}
    return {"action": action, "mode": "fs", **place, **fields}


def _read_tree(tree: Path) -> dict[str, bytes | str | None]:
    def content(path: Path) -> bytes | str | None:
        if path.is_symlink():
            return str(path.readlink())
        return path.read_bytes() if path.is_file() else None

    return {str(path.relative_to(tree)): content(path) for path in tree.rglob("*")}


def test_directory_is_restored_unchanged(agent: ScriptedAgent, tree: Path, tmp_path: Path) -> None:
    before = _read_tree(tree)
    agent.back_up(_action(tmp_path, "backup", path_to_backup=str(tree)))
    (tree / "Zürich ☃").write_bytes(b"changed")
    (tree / "new").touch()
    restore = _action(tmp_path, "restore", restore_abs_path=str(tree))
    with pytest.raises(AgentError, match="is not empty"):
        agent.restore(restore)
    agent.restore({**restore, "overwrite": "True"})
    assert _read_tree(tree) == before


def test_newest_of_two_backups_is_restored(
    agent: ScriptedAgent, tree: Path, tmp_path: Path
) -> None:
    backup = _action(tmp_path, "backup", path_to_backup=str(tree))
    agent.back_up(backup)
    (tree / "newer").touch()
    before = _read_tree(tree)
    agent.back_up(backup)
    agent.restore(_action(tmp_path, "restore", restore_abs_path=str(tmp_path / "x")))
    assert _read_tree(tmp_path / "x") == before


def test_removed_backup_cannot_be_restored(
    agent: ScriptedAgent, tree: Path, tmp_path: Path
) -> None:
    agent.back_up(_action(tmp_path, "backup", path_to_backup=str(tree)))
    for _ in range(2):
        agent.remove(_action(tmp_path, "admin"))
    assert not [path for path in (tmp_path / "container").rglob("*") if not path.is_dir()]
    with pytest.raises(AgentError, match="No matching backup name"):
        agent.restore(_action(tmp_path, "restore", restore_abs_path=str(tmp_path / "x")))


def test_incomplete_backup_is_neither_removed_nor_restored(
    agent: ScriptedAgent, tree: Path, tmp_path: Path
) -> None:
    agent.back_up(_action(tmp_path, "backup", path_to_backup=str(tree)), whole=False)
    agent.remove(_action(tmp_path, "admin"))
    assert list((tmp_path / "container").glob("data/tar/host_n/*/0_*/data"))
    with pytest.raises(AgentError, match="No matching backup name"):
        agent.restore(_action(tmp_path, "restore", restore_abs_path=str(tmp_path / "x")))


def test_missing_directory_cannot_be_backed_up(agent: ScriptedAgent, tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="does not exist"):
        agent.back_up(_action(tmp_path, "backup", path_to_backup=str(tmp_path / "gone")))


def test_texts_are_parsed_as_from_an_ini_file() -> None:
    action = {"backup_name": " 100%% sure ", "overwrite": False, "hostname": None}
    assert parse_action(action) == {"backup_name": "100% sure", "overwrite": "False"}
    with pytest.raises(ValueError, match="invalid interpolation"):
        parse_action({"backup_name": "100% sure"})
