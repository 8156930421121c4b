"""Finding a copy in what freezer-agent 19.0.0 has stored; the trees were seen on real storages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.storages import Kind
from karbor_backup_freezer.stored.layout import Copy, Listing, Place, find_copy

VOLUME = "f6dbb4c0-f305-420d-ac6f-c8c98a6debe9"
IMAGE = "83164e28-3f59-4172-a2dd-cc7cd35a9133"
PLACE = Place(container="karbor-backup/1f", backup_name="n", hostname="vm")

_INDEX = "metadata/glance/vm_n/" + IMAGE + "/1795360680/0_1795360680/metadata"
_DATA = "data/glance/vm_n/" + IMAGE + "/1795360680/0_1795360680/"
LOCAL_IMAGE = {_INDEX, f"{_DATA}data", f"{_DATA}engine_metadata"}
SWIFT_IMAGE = LOCAL_IMAGE | {f"{_DATA}segments/00000000", f"{_DATA}segments/00000001"}

LOCAL_VOLUME = {f"{VOLUME}/1795360621/metadata", f"{VOLUME}/1795360621/{VOLUME}"}
_SEGMENTS = f"karbor-backup/1f_segments/{VOLUME}/1795360621"
SWIFT_VOLUME = {f"{_SEGMENTS}/1795360621", f"{_SEGMENTS}/segments/00000000"}


@given(st.sets(st.text(), max_size=20), st.text(max_size=2))
def test_a_listing_finds_what_starts_so(paths: set[str], text: str) -> None:
    listing = Listing(paths)
    assert listing.starting(text) == sorted(p for p in paths if p.startswith(text))
    assert (text in listing) == (text in paths)


@pytest.mark.parametrize("kind", [Kind.LOCAL, Kind.SSH, Kind.S3])
def test_a_volume_is_one_file(kind: Kind) -> None:
    copy = find_copy(Listing(LOCAL_VOLUME), kind, PLACE, Mode.CINDER, VOLUME)
    assert copy == Copy(
        data=(f"{VOLUME}/1795360621/{VOLUME}",), notes=f"{VOLUME}/1795360621/metadata"
    )


def test_a_volume_on_swift_is_its_segments() -> None:
    copy = find_copy(Listing(SWIFT_VOLUME), Kind.SWIFT, PLACE, Mode.CINDER, VOLUME)
    assert copy == Copy(data=(f"{_SEGMENTS}/segments/00000000",), notes=f"{_SEGMENTS}/1795360621")


def test_an_image_is_one_file_and_its_notes() -> None:
    copy = find_copy(Listing(LOCAL_IMAGE), Kind.LOCAL, PLACE, Mode.GLANCE, IMAGE)
    assert copy is not None
    assert (copy.data, copy.notes) == ((f"{_DATA}data",), f"{_DATA}engine_metadata")


def test_an_image_on_swift_is_its_segments() -> None:
    copy = find_copy(Listing(SWIFT_IMAGE), Kind.SWIFT, PLACE, Mode.GLANCE, IMAGE)
    assert copy is not None
    assert copy.data == (f"{_DATA}segments/00000000", f"{_DATA}segments/00000001")


@pytest.mark.parametrize("gone", [_INDEX, f"{_DATA}engine_metadata"])
def test_a_copy_that_the_agent_would_not_find_has_no_notes(gone: str) -> None:
    copy = find_copy(Listing(LOCAL_IMAGE - {gone}), Kind.LOCAL, PLACE, Mode.GLANCE, IMAGE)
    assert copy is not None
    assert copy.notes == ""
    assert copy.data


def test_a_directory_has_no_folder_of_its_id() -> None:
    folder = "tar/vm_n/12/0_12"
    tree = {f"data/{folder}/data", f"data/{folder}/engine_metadata", f"metadata/{folder}/metadata"}
    copy = find_copy(Listing(tree), Kind.LOCAL, PLACE, Mode.FS, "/etc")
    assert copy == Copy(
        data=(f"data/{folder}/data",),
        notes=f"data/{folder}/engine_metadata",
        engine=f"metadata/{folder}/metadata",
    )


@given(st.sets(st.integers(0, 2**33), min_size=1))
def test_the_newest_copy_is_taken(times: set[int]) -> None:
    tree = {f"{VOLUME}/{time}/{name}" for time in times for name in ("metadata", VOLUME)}
    copy = find_copy(Listing(tree), Kind.LOCAL, PLACE, Mode.CINDER, VOLUME)
    assert copy is not None
    assert copy.notes == f"{VOLUME}/{max(times)}/metadata"


@given(st.sets(st.text("ab/0", max_size=12)), st.sampled_from([*Kind]), st.sampled_from([*Mode]))
def test_of_another_resource_nothing_is_taken(paths: set[str], kind: Kind, mode: Mode) -> None:
    if mode is not Mode.NATIVE:
        assert find_copy(Listing(paths | LOCAL_IMAGE), kind, PLACE, mode, VOLUME) is None
