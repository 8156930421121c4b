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
from karbor_backup_freezer.model.resource_types import DIRECTORY, IMAGE, SUPPORTED_TYPES, VOLUME
from karbor_backup_freezer.model.storages import StorageKind


def test_the_table_has_a_verdict_for_everything_with_a_reason() -> None:
    for rows in RESTORE_SUPPORT.values():
        assert rows.keys() == {*SUPPORTED_TYPES, IMAGE}
        for row in rows.values():
            assert set(row) == set(StorageKind)
            assert all(judged.restorable is not bool(judged.reason) for judged in row.values())


@pytest.mark.parametrize("resource_type", SUPPORTED_TYPES)
def test_nothing_comes_back_from_s3(resource_type: str) -> None:
    assert not restore_support("19.0.0", resource_type, StorageKind.S3).restorable
    assert not deletes_data(StorageKind.S3)


def test_directories_come_back_from_what_was_seen_to_work() -> None:
    fine = {kind for kind in StorageKind if restore_support("19.0.0", DIRECTORY, kind).restorable}
    assert fine == {StorageKind.LOCAL, StorageKind.SSH, StorageKind.SWIFT}


def test_volumes_do_not_come_back_from_ssh() -> None:
    assert not restore_support("19.0.0", VOLUME, StorageKind.SSH).restorable


def test_cinders_own_backups_are_in_no_storage_of_ours() -> None:
    native = BackupItem(type=VOLUME, id="v", mode=Mode.NATIVE)
    assert item_restore_support(NEWEST_TESTED, native, StorageKind.S3).restorable


def test_a_backup_is_never_called_restorable_and_says_why() -> None:
    volume = BackupItem(type=VOLUME, id="v", mode=Mode.CINDER)
    fine = restorable_check(NEWEST_TESTED, [volume], StorageKind.LOCAL)
    assert (fine.verified, "only a restore" in fine.reason) == (False, True)
    broken = restorable_check(NEWEST_TESTED, [volume, volume], StorageKind.SSH)
    assert broken.reason == restore_support(NEWEST_TESTED, VOLUME, StorageKind.SSH).reason


def test_an_untried_version_is_judged_like_the_newest_that_was_tried() -> None:
    assert restore_support("99.0", DIRECTORY, StorageKind.FTP) == restore_support(
        NEWEST_TESTED, DIRECTORY, StorageKind.FTP
    )
