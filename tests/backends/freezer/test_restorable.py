"""The table of what can be brought back."""

import pytest

from karbor_backup_freezer.pieces import Mode, Piece
from karbor_backup_freezer.resources import DIRECTORY, IMAGE, KINDS, VOLUME
from karbor_backup_freezer.restorable import (
    NEWEST,
    TABLE,
    deletes_data,
    restorable_check,
    verdict,
    verdict_of,
)
from karbor_backup_freezer.storages import Kind


def test_the_table_has_a_verdict_for_everything_with_a_reason() -> None:
    for rows in TABLE.values():
        assert rows.keys() == {*KINDS, IMAGE}
        for row in rows.values():
            assert set(row) == set(Kind)
            assert all(judged.restorable is not bool(judged.reason) for judged in row.values())


@pytest.mark.parametrize("resource_type", KINDS)
def test_nothing_comes_back_from_s3(resource_type: str) -> None:
    assert not verdict("19.0.0", resource_type, Kind.S3).restorable
    assert not deletes_data(Kind.S3)


def test_directories_come_back_from_what_was_seen_to_work() -> None:
    fine = {kind for kind in Kind if verdict("19.0.0", DIRECTORY, kind).restorable}
    assert fine == {Kind.LOCAL, Kind.SSH, Kind.SWIFT}


def test_volumes_do_not_come_back_from_ssh() -> None:
    assert not verdict("19.0.0", VOLUME, Kind.SSH).restorable


def test_cinders_own_backups_are_in_no_storage_of_ours() -> None:
    native = Piece(type=VOLUME, id="v", mode=Mode.NATIVE)
    assert verdict_of(NEWEST, native, Kind.S3).restorable


def test_a_backup_is_never_called_restorable_and_says_why() -> None:
    volume = Piece(type=VOLUME, id="v", mode=Mode.CINDER)
    fine = restorable_check(NEWEST, [volume], Kind.LOCAL)
    assert (fine.verified, "only a restore" in fine.reason) == (False, True)
    broken = restorable_check(NEWEST, [volume, volume], Kind.SSH)
    assert broken.reason == verdict(NEWEST, VOLUME, Kind.SSH).reason


def test_an_untried_version_is_judged_like_the_newest_that_was_tried() -> None:
    assert verdict("99.0", DIRECTORY, Kind.FTP) == verdict(NEWEST, DIRECTORY, Kind.FTP)
