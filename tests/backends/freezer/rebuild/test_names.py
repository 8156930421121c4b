"""The names of what a restore makes."""

from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import Resource
from karbor_backup_freezer.rebuild.names import LIMIT, is_marked, marks, restored_name
from tests.backends.freezer.rebuild.scene import PROJECT, SERVER, VOLUME, restore_of

WEB = Resource(SERVER, "s", "web")
DATA = Resource(VOLUME, "v", "data")


def test_the_restored_resource_gets_the_name_that_was_given() -> None:
    assert restored_name(restore_of(WEB), WEB) == "new"


def test_a_servers_volume_is_named_by_its_device() -> None:
    assert restored_name(restore_of(WEB), DATA, "/dev/vdb") == "new-vdb"


def test_a_servers_volume_without_a_device_is_named_by_its_own_name() -> None:
    assert restored_name(restore_of(WEB), DATA) == "new-data"


def test_a_projects_member_is_named_by_its_own_name() -> None:
    whole = restore_of(Resource(PROJECT, "p"))
    assert restored_name(whole, DATA, "/dev/vdb") == "new-data"
    assert restored_name(whole, Resource(VOLUME, "v")) == "new-v"


def test_without_a_new_name_the_old_one_stays() -> None:
    assert restored_name(restore_of(WEB, restore_name=""), DATA) == "data"


@given(st.text(), st.text(), st.text())
def test_no_name_is_too_long(given_name: str, own: str, device: str) -> None:
    operation = restore_of(WEB, restore_name=given_name)
    assert len(restored_name(operation, Resource(VOLUME, "v", own), device)) <= LIMIT


def test_marks_tell_operation_and_source_apart() -> None:
    one, other = restore_of(WEB), restore_of(WEB)
    metadata = {"owner": "me", **marks(one, "v")}
    assert is_marked(metadata, one)
    assert is_marked(metadata, one, "v")
    assert not is_marked(metadata, one, "w")
    assert not is_marked(metadata, other)
    assert not is_marked(None, one)
