"""What an action says of a storage, in the agent's words."""

import pytest

from karbor_backup_core import InvalidInput, Secret
from karbor_backup_freezer.model.storages import Storage, StorageKind, find_storage, without_secrets


def test_each_backup_has_a_container_of_its_own() -> None:
    disk = Storage("disk", StorageKind.LOCAL, {"path": "/srv/"})
    assert disk.backup_container("top", "one") == "/srv/top/one"
    assert (
        Storage("root", StorageKind.FTP, {"path": "/"}).backup_container("top", "one") == "/top/one"
    )
    assert Storage("cloud", StorageKind.SWIFT, {}).backup_container("top", "one") == "top/one"


def test_container_name_that_freezer_cannot_store_is_refused() -> None:
    disk = Storage("disk", StorageKind.LOCAL, {"path": "/" + "x" * 250})
    with pytest.raises(InvalidInput, match="255"):
        disk.backup_container("top", "one")


def test_action_has_the_agents_option_names() -> None:
    ssh = Storage(
        "far", StorageKind.SSH, {"host": "h", "port": 2222, "username": "u", "key": "/k%1"}
    )
    assert ssh.action_fields() == {
        "storage": "ssh",
        "ssh_host": "h",
        "ssh_port": 2222,
        "ssh_username": "u",
        "ssh_key": "/k%%1",
    }
    assert not ssh.has_secrets


def test_secrets_are_revealed_in_actions_only_and_can_be_overwritten() -> None:
    options = {"host": "h", "username": "u", "password": Secret("passw0rd%")}
    storage = Storage("old", StorageKind.FTP, options)
    fields = storage.action_fields()
    assert fields["ftp_password"] == "passw0rd%%"  # noqa: S105 - it is made up
    assert without_secrets(fields) == {**fields, "ftp_password": ""}


def test_error_without_storages_names_the_remedy() -> None:
    with pytest.raises(InvalidInput, match=r"add a section \[backends\.NAME\.storages\.STORAGE\]"):
        find_storage({}, "")


def test_misspelled_storage_error_suggests_the_name() -> None:
    with pytest.raises(InvalidInput, match=r"did you mean 'vault'\? there are: vault"):
        find_storage({"vault": Storage("vault", StorageKind.SWIFT, {})}, "valt")
