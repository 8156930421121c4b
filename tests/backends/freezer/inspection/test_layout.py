"""Finding a copy in what freezer-agent 19.0.0 has stored; the trees were seen on real storages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_freezer.inspection.layout import BackupLocation, Listing, StoredCopy, find_copy
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.storages import StorageKind

VOLUME = "f6dbb4c0-f305-420d-ac6f-c8c98a6debe9"
IMAGE = "83164e28-3f59-4172-a2dd-cc7cd35a9133"
PLACE = BackupLocation(container="karbor-backup/1f", backup_name="n", hostname="vm")

_INDEX = "metadata/glance/vm_n/" + IMAGE + "/1795360680/0_1795360680/metadata"
_DATA = "data/glance/vm_n/" + IMAGE + "/1795360680/0_1795360680/"
LOCAL_IMAGE = {_INDEX, f"{_DATA}data", f"{_DATA}engine_metadata"}
SWIFT_IMAGE = LOCAL_IMAGE | {f"{_DATA}segments/00000000", f"{_DATA}segments/00000001"}

LOCAL_VOLUME = {f"{VOLUME}/1795360621/metadata", f"{VOLUME}/1795360621/{VOLUME}"}
_SEGMENTS = f"karbor-backup/1f_segments/{VOLUME}/1795360621"
SWIFT_VOLUME = {f"{_SEGMENTS}/1795360621", f"{_SEGMENTS}/segments/00000000"}


@given(st.sets(st.text(), max_size=20), st.text(max_size=2))
def test_listing_finds_paths_with_prefix(paths: set[str], text: str) -> None:
    listing = Listing(paths)
    assert listing.with_prefix(text) == sorted(p for p in paths if p.startswith(text))
    assert (text in listing) == (text in paths)


@pytest.mark.parametrize("kind", [StorageKind.LOCAL, StorageKind.SSH, StorageKind.S3])
def test_a_volume_is_one_file(kind: StorageKind) -> None:
    copy = find_copy(Listing(LOCAL_VOLUME), kind, PLACE, Mode.CINDER, VOLUME)
    assert copy == StoredCopy(
        data=(f"{VOLUME}/1795360621/{VOLUME}",), metadata=f"{VOLUME}/1795360621/metadata"
    )


def test_a_volume_on_swift_is_its_segments() -> None:
    copy = find_copy(Listing(SWIFT_VOLUME), StorageKind.SWIFT, PLACE, Mode.CINDER, VOLUME)
    assert copy == StoredCopy(
        data=(f"{_SEGMENTS}/segments/00000000",), metadata=f"{_SEGMENTS}/1795360621"
    )


def test_image_is_one_file_and_its_metadata() -> None:
    copy = find_copy(Listing(LOCAL_IMAGE), StorageKind.LOCAL, PLACE, Mode.GLANCE, IMAGE)
    assert copy is not None
    assert (copy.data, copy.metadata) == ((f"{_DATA}data",), f"{_DATA}engine_metadata")


def test_an_image_on_swift_is_its_segments() -> None:
    copy = find_copy(Listing(SWIFT_IMAGE), StorageKind.SWIFT, PLACE, Mode.GLANCE, IMAGE)
    assert copy is not None
    assert copy.data == (f"{_DATA}segments/00000000", f"{_DATA}segments/00000001")


@pytest.mark.parametrize("gone", [_INDEX, f"{_DATA}engine_metadata"])
def test_copy_that_the_agent_would_not_find_has_no_metadata(gone: str) -> None:
    copy = find_copy(Listing(LOCAL_IMAGE - {gone}), StorageKind.LOCAL, PLACE, Mode.GLANCE, IMAGE)
    assert copy is not None
    assert copy.metadata == ""
    assert copy.data


def test_a_directory_has_no_folder_of_its_id() -> None:
    folder = "tar/vm_n/12/0_12"
    tree = {f"data/{folder}/data", f"data/{folder}/engine_metadata", f"metadata/{folder}/metadata"}
    copy = find_copy(Listing(tree), StorageKind.LOCAL, PLACE, Mode.FS, "/etc")
    assert copy == StoredCopy(
        data=(f"data/{folder}/data",),
        metadata=f"data/{folder}/engine_metadata",
        engine_metadata=f"metadata/{folder}/metadata",
    )


@given(st.sets(st.integers(0, 2**33), min_size=1))
def test_newest_copy_is_found(times: set[int]) -> None:
    tree = {f"{VOLUME}/{time}/{name}" for time in times for name in ("metadata", VOLUME)}
    copy = find_copy(Listing(tree), StorageKind.LOCAL, PLACE, Mode.CINDER, VOLUME)
    assert copy is not None
    assert copy.metadata == f"{VOLUME}/{max(times)}/metadata"


@given(
    st.sets(st.text("ab/0", max_size=12)), st.sampled_from([*StorageKind]), st.sampled_from([*Mode])
)
def test_copy_of_another_resource_is_not_found(
    paths: set[str], kind: StorageKind, mode: Mode
) -> None:
    if mode is not Mode.NATIVE:
        assert find_copy(Listing(paths | LOCAL_IMAGE), kind, PLACE, mode, VOLUME) is None
