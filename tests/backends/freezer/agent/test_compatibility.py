"""The table of what can be brought back."""

import pytest

from karbor_backup_freezer.agent.compatibility import (
    NEWEST_TESTED,
    RESTORE_SUPPORT,
    deletes_data,
    item_restore_support,
    restorable_check,
    restore_support,
)
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_freezer.model.resource_types import DIRECTORY, SUPPORTED_TYPES
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_openstack.resource_types import IMAGE, VOLUME


def test_table_covers_every_type_and_storage_with_reasons() -> None:
    for rows in RESTORE_SUPPORT.values():
        assert rows.keys() == {*SUPPORTED_TYPES, IMAGE}
        for row in rows.values():
            assert set(row) == set(StorageKind)
            assert all(judged.restorable is not bool(judged.reason) for judged in row.values())


@pytest.mark.parametrize("resource_type", SUPPORTED_TYPES)
def test_no_type_is_restorable_from_s3(resource_type: str) -> None:
    assert not restore_support("19.0.0", resource_type, StorageKind.S3).restorable
    assert not deletes_data(StorageKind.S3)


def test_directories_are_restorable_from_local_ssh_and_swift() -> None:
    fine = {kind for kind in StorageKind if restore_support("19.0.0", DIRECTORY, kind).restorable}
    assert fine == {StorageKind.LOCAL, StorageKind.SSH, StorageKind.SWIFT}


def test_volumes_are_not_restorable_from_ssh() -> None:
    assert not restore_support("19.0.0", VOLUME, StorageKind.SSH).restorable


def test_native_backups_depend_on_no_storage() -> None:
    native = BackupItem(type=VOLUME, id="v", mode=Mode.NATIVE)
    assert item_restore_support(NEWEST_TESTED, native, StorageKind.S3).restorable


def test_restorable_check_is_never_verified_and_has_a_reason() -> None:
    volume = BackupItem(type=VOLUME, id="v", mode=Mode.CINDER)
    fine = restorable_check(NEWEST_TESTED, [volume], StorageKind.LOCAL)
    assert (fine.verified, "only a restore" in fine.reason) == (False, True)
    broken = restorable_check(NEWEST_TESTED, [volume, volume], StorageKind.SSH)
    assert broken.reason == restore_support(NEWEST_TESTED, VOLUME, StorageKind.SSH).reason


def test_unknown_version_has_the_support_of_the_newest_tested() -> None:
    assert restore_support("99.0", DIRECTORY, StorageKind.FTP) == restore_support(
        NEWEST_TESTED, DIRECTORY, StorageKind.FTP
    )
