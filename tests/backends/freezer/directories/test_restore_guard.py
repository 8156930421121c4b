"""Which restores of a directory are refused, on this host's own file systems."""

import datetime as dt
import socket
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_core import InvalidInput, Operation, Resource, Verb
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.directories.restore_guard import RestoreGuard
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.resources import DIRECTORY

HERE = socket.gethostname()
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@attrs.frozen
class Scene:
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "home" / "data"

    @property
    def storage(self) -> Path:
        return self.folder / "backups" / "disk"

    def check(
        self, path: Path | str = "", host: str = HERE, own: tuple[str, ...] = (), **more: Any
    ) -> None:
        options = {"restore_name": "x", "overwrite": True, **more}
        if path:
            options["restore_path"] = str(path)
        operation = Operation(
            id="1",
            verb=Verb.RESTORE,
            backend="f",
            implementation="f",
            scope="s",
            resource=Resource(DIRECTORY, str(self.data)),
            options=options,
            created_at=NOW,
            deadline=NOW,
        )
        handle = Handle(
            kind="local",
            container=str(self.storage / "karbor-backup" / "1"),
            backup_name="n",
            hostname=host,
            client="c",
            job="j",
            agent_version="19.0.0",
        )
        local = {"kind": "local", "path": str(self.storage)}
        other = {"kind": "local", "path": str(self.folder / "other")}
        ssh = {
            "kind": "ssh",
            "host": "127.0.0.1",
            "username": "u",
            "key": "/k",
            "path": str(self.folder / "sshd"),
        }
        storages = {"disk": local, "other": other, "near": ssh}
        configuration = Configuration.read({"storages": storages, "storage": "disk"})
        RestoreGuard(configuration).check(operation, handle, host, own)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.data.mkdir(parents=True)
    (scene.data / "file").touch()
    (scene.storage / "karbor-backup" / "1").mkdir(parents=True)
    for name in ("other", "sshd", "elsewhere"):
        (tmp_path / name).mkdir()
    return scene


def refused(scene: Scene, *arguments: Any, **more: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        scene.check(*arguments, **more)
    return str(caught.value)


def test_a_directory_is_restored_over_itself_and_over_another(scene: Scene) -> None:
    scene.check()
    scene.check(scene.folder / "elsewhere")
    scene.check(scene.folder / "not there yet".replace(" ", "-"))


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "/usr", "/var/lib", "/home", "/tmp", "/lib"],  # noqa: S108 - refused
)
@pytest.mark.parametrize("host", [HERE, "another"])
def test_system_folders_are_never_overwritten(scene: Scene, path: str, host: str) -> None:
    assert "a system folder" in refused(scene, path, host, overwrite_unseen=True)


@pytest.mark.parametrize("path", ["//", "/.", "/srv/..", "/usr/", "/var//lib", "/home/."])
def test_a_path_that_is_written_in_another_way_is_refused(scene: Scene, path: str) -> None:
    assert "give the path without" in refused(scene, path, HERE, overwrite_unseen=True)


def test_a_link_to_a_system_folder_is_one(scene: Scene) -> None:
    (scene.folder / "link").symlink_to("/")
    assert "which is /etc, is a system folder" in refused(scene, scene.folder / "link" / "etc")


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("backups", "'disk'"),
        ("backups/disk", "'disk'"),
        ("backups/disk/karbor-backup", "'disk'"),
        ("backups/disk/new", "'disk'"),
        ("other", "'other'"),
        ("sshd/below", "'near'"),
        ("link", "'disk'"),
        ("link/disk/new", "'disk'"),
    ],
)
def test_a_storage_is_not_overwritten(scene: Scene, path: str, named: str) -> None:
    (scene.folder / "link").symlink_to("backups")
    assert named in refused(scene, f"{scene.folder}/{path}")


def test_a_storage_that_a_link_below_the_target_leads_to_stays(scene: Scene) -> None:
    # The other way round: the storage is configured by a link, and is really below the target.
    target = scene.folder / "target"
    target.mkdir()
    scene.storage.rename(target / "real")
    scene.storage.symlink_to(target / "real")
    assert "'disk'" in refused(scene, target)


@pytest.mark.parametrize("path", ["backups/disk/new", "other/new", "sshd/new"])
@pytest.mark.parametrize("host", [HERE, "another"])
def test_nothing_is_restored_into_a_storage_even_without_overwrite(
    scene: Scene, path: str, host: str
) -> None:
    if path.startswith("sshd") and host != HERE:
        return  # there it is another host's folder
    assert "lies in" in refused(scene, scene.folder / path, host, overwrite=False)


def test_a_parent_of_what_was_protected_is_not_overwritten(scene: Scene) -> None:
    assert "holds what was protected" in refused(scene, scene.data.parent)
    reason = refused(scene, scene.data.parent, "another", overwrite_unseen=True)
    assert "holds what was protected" in reason


def test_a_file_of_the_caller_is_not_removed(scene: Scene) -> None:
    store = scene.folder / "elsewhere" / "store.db"
    store.touch()
    assert "karbor-backup's own" in refused(scene, store.parent, own=(str(store),))
    link = scene.folder / "link"
    link.symlink_to(store.parent)
    assert "karbor-backup's own" in refused(scene, link, own=(str(store),))
    assert "karbor-backup's own" in refused(scene, store.parent, own=(str(link / "store.db"),))


def test_the_agents_work_folder_is_not_overwritten(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(scene.folder / "elsewhere"))
    assert "the agent's work folder" in refused(scene, scene.folder / "elsewhere")
    assert "the agent's work folder" in refused(scene, scene.folder / "elsewhere" / ".freezer")


def test_a_target_of_another_host_is_overwritten_only_if_the_danger_is_accepted(
    scene: Scene,
) -> None:
    reason = refused(scene, host="another")
    assert "cannot be seen from here" in reason
    assert "'overwrite_unseen'" in reason
    scene.check(host="another", overwrite_unseen=True)
    scene.check(host="another", overwrite=False)
    assert "of an unknown name" in refused(scene, host="")


def test_a_full_directory_is_refused_without_overwrite(scene: Scene) -> None:
    reason = refused(scene, overwrite=False)
    assert "is not empty" in reason
    assert "'overwrite'" in reason
    scene.check(scene.folder / "elsewhere", overwrite=False)
    (scene.folder / "link").symlink_to(scene.data)
    assert "is not empty" in refused(scene, scene.folder / "link", overwrite=False)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_is_no_target(scene: Scene, *, overwrite: bool) -> None:
    path = scene.data / "file"
    assert "is no directory" in refused(scene, path, overwrite=overwrite)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_system_of_the_kernel_is_no_target(scene: Scene, *, overwrite: bool) -> None:
    assert "which the kernel fills" in refused(scene, "/sys/x", overwrite=overwrite)
