"""Which paths lie on a file system that several machines may share."""

from pathlib import Path

import pytest

from karbor_backup_core import InvalidInput
from karbor_backup_core.stores._sql import filesystems
from karbor_backup_core.stores._sql.filesystems import network_filesystem_type
from karbor_backup_core.stores.sql import SQLStore


@pytest.fixture
def mountinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the list of mounts, which tests write lines to: ext4 at the root so far."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text("22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n")
    monkeypatch.setattr(filesystems, "MOUNTINFO", mounts)
    return mounts


def add_mount(mounts: Path, point: Path, kind: str) -> None:
    """Add a line for something mountinfo at a point."""
    escaped = str(point).replace(" ", "\\040")
    with mounts.open("a") as file:
        file.write(f"41 22 0:52 / {escaped} rw,relatime shared:9 - {kind} server:/home rw,vers=4\n")


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.glusterfs"]
)
def test_kinds_that_machines_share_are_known(mountinfo: Path, tmp_path: Path, kind: str) -> None:
    add_mount(mountinfo, tmp_path / "my home", kind)
    assert network_filesystem_type(tmp_path / "my home" / "new" / "store.db") == kind
    assert network_filesystem_type(tmp_path / "my home2" / "store.db") == ""


@pytest.mark.parametrize("kind", ["xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuse.gocryptfs"])
def test_kinds_of_one_machine_are_not_refused(mountinfo: Path, tmp_path: Path, kind: str) -> None:
    add_mount(mountinfo, tmp_path, kind)
    assert network_filesystem_type(tmp_path / "store.db") == ""


def test_the_innermost_and_last_mount_counts(mountinfo: Path, tmp_path: Path) -> None:
    add_mount(mountinfo, tmp_path, "nfs4")
    add_mount(mountinfo, tmp_path / "local", "ext4")
    add_mount(mountinfo, tmp_path / "twice", "ext4")
    add_mount(mountinfo, tmp_path / "twice", "cifs")
    assert network_filesystem_type(tmp_path / "local" / "store.db") == ""
    assert network_filesystem_type(tmp_path / "twice" / "store.db") == "cifs"


def test_links_are_followed(mountinfo: Path, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    add_mount(mountinfo, tmp_path / "share", "nfs4")
    (tmp_path / "store.db").symlink_to(tmp_path / "share" / "store.db")
    assert network_filesystem_type(tmp_path / "store.db") == "nfs4"


def test_where_the_system_does_not_tell_nothing_is_refused(mountinfo: Path, tmp_path: Path) -> None:
    mountinfo.unlink()
    assert network_filesystem_type(tmp_path) == ""
    mountinfo.write_text("not a line of it\n\n")
    assert network_filesystem_type(tmp_path) == ""


def test_a_store_there_is_refused_before_anything_is_made(mountinfo: Path, tmp_path: Path) -> None:
    add_mount(mountinfo, tmp_path, "nfs4")
    with pytest.raises(InvalidInput, match=r"kind nfs4.*PostgreSQL"):
        SQLStore(f"sqlite:///{tmp_path}/folder/store.db")
    assert not (tmp_path / "folder").exists()


def test_a_store_whose_risk_is_taken_shares_no_memory(mountinfo: Path, tmp_path: Path) -> None:
    add_mount(mountinfo, tmp_path, "nfs4")
    store = SQLStore(f"sqlite:///{tmp_path}/store.db", risk_network_filesystem=True)
    with store._engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    store.close()
    assert not (tmp_path / "store.db-shm").exists()
