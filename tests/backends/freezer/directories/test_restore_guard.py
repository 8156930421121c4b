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
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.resource_types import DIRECTORY

HERE = socket.gethostname()
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@attrs.frozen
class RestoreGuardHarness:
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "home" / "data"

    @property
    def storage(self) -> Path:
        return self.folder / "backups" / "disk"

    def check_restore(
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
        configuration = Configuration.from_document({"storages": storages, "storage": "disk"})
        RestoreGuard(configuration).check(operation, handle, host, own)


@pytest.fixture
def harness(tmp_path: Path) -> RestoreGuardHarness:
    harness = RestoreGuardHarness(tmp_path)
    harness.data.mkdir(parents=True)
    (harness.data / "file").touch()
    (harness.storage / "karbor-backup" / "1").mkdir(parents=True)
    for name in ("other", "sshd", "elsewhere"):
        (tmp_path / name).mkdir()
    return harness


def refusal_message(harness: RestoreGuardHarness, *arguments: Any, **more: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        harness.check_restore(*arguments, **more)
    return str(caught.value)


def test_a_directory_is_restored_over_itself_and_over_another(harness: RestoreGuardHarness) -> None:
    harness.check_restore()
    harness.check_restore(harness.folder / "elsewhere")
    harness.check_restore(harness.folder / "not there yet".replace(" ", "-"))


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "/usr", "/var/lib", "/home", "/tmp", "/lib"],  # noqa: S108 - refused
)
@pytest.mark.parametrize("host", [HERE, "another"])
def test_system_folders_are_never_overwritten(
    harness: RestoreGuardHarness, path: str, host: str
) -> None:
    assert "a system folder" in refusal_message(harness, path, host, overwrite_unseen=True)


@pytest.mark.parametrize("path", ["//", "/.", "/srv/..", "/usr/", "/var//lib", "/home/."])
def test_path_that_is_not_normalized_is_refused(harness: RestoreGuardHarness, path: str) -> None:
    assert "give the path without" in refusal_message(harness, path, HERE, overwrite_unseen=True)


def test_link_to_a_system_folder_is_refused(harness: RestoreGuardHarness) -> None:
    (harness.folder / "link").symlink_to("/")
    assert "which is /etc, is a system folder" in refusal_message(
        harness, harness.folder / "link" / "etc"
    )


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
def test_a_storage_is_not_overwritten(harness: RestoreGuardHarness, path: str, named: str) -> None:
    (harness.folder / "link").symlink_to("backups")
    assert named in refusal_message(harness, f"{harness.folder}/{path}")


def test_storage_behind_a_link_below_the_target_is_not_overwritten(
    harness: RestoreGuardHarness,
) -> None:
    # The other way round: the storage is configured by a link, and is really below the target.
    target = harness.folder / "target"
    target.mkdir()
    harness.storage.rename(target / "real")
    harness.storage.symlink_to(target / "real")
    assert "'disk'" in refusal_message(harness, target)


@pytest.mark.parametrize("path", ["backups/disk/new", "other/new", "sshd/new"])
@pytest.mark.parametrize("host", [HERE, "another"])
def test_restore_into_a_storage_is_refused_even_without_overwrite(
    harness: RestoreGuardHarness, path: str, host: str
) -> None:
    if path.startswith("sshd") and host != HERE:
        return  # there it is another host's folder
    assert "lies in" in refusal_message(harness, harness.folder / path, host, overwrite=False)


def test_a_parent_of_what_was_protected_is_not_overwritten(harness: RestoreGuardHarness) -> None:
    assert "holds what was protected" in refusal_message(harness, harness.data.parent)
    reason = refusal_message(harness, harness.data.parent, "another", overwrite_unseen=True)
    assert "holds what was protected" in reason


def test_a_file_of_the_caller_is_not_removed(harness: RestoreGuardHarness) -> None:
    store = harness.folder / "elsewhere" / "store.db"
    store.touch()
    assert "karbor-backup's own" in refusal_message(harness, store.parent, own=(str(store),))
    link = harness.folder / "link"
    link.symlink_to(store.parent)
    assert "karbor-backup's own" in refusal_message(harness, link, own=(str(store),))
    assert "karbor-backup's own" in refusal_message(
        harness, store.parent, own=(str(link / "store.db"),)
    )


def test_the_agents_work_folder_is_not_overwritten(
    harness: RestoreGuardHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(harness.folder / "elsewhere"))
    assert "the agent's work folder" in refusal_message(harness, harness.folder / "elsewhere")
    assert "the agent's work folder" in refusal_message(
        harness, harness.folder / "elsewhere" / ".freezer"
    )


def test_target_on_another_host_is_overwritten_only_if_the_risk_is_accepted(
    harness: RestoreGuardHarness,
) -> None:
    reason = refusal_message(harness, host="another")
    assert "cannot be seen from here" in reason
    assert "'overwrite_unseen'" in reason
    harness.check_restore(host="another", overwrite_unseen=True)
    harness.check_restore(host="another", overwrite=False)
    assert "of an unknown name" in refusal_message(harness, host="")


def test_a_full_directory_is_refused_without_overwrite(harness: RestoreGuardHarness) -> None:
    reason = refusal_message(harness, overwrite=False)
    assert "is not empty" in reason
    assert "'overwrite'" in reason
    harness.check_restore(harness.folder / "elsewhere", overwrite=False)
    (harness.folder / "link").symlink_to(harness.data)
    assert "is not empty" in refusal_message(harness, harness.folder / "link", overwrite=False)


@pytest.mark.parametrize("overwrite", [True, False])
def test_file_as_target_is_refused(harness: RestoreGuardHarness, *, overwrite: bool) -> None:
    path = harness.data / "file"
    assert "is no directory" in refusal_message(harness, path, overwrite=overwrite)


@pytest.mark.parametrize("overwrite", [True, False])
def test_kernel_file_system_as_target_is_refused(
    harness: RestoreGuardHarness, *, overwrite: bool
) -> None:
    assert "which the kernel fills" in refusal_message(harness, "/sys/x", overwrite=overwrite)
