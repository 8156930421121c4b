"""The names of what a restore makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import InvalidInput, Resource
from karbor_backup_openstack.metadata import NAME_LIMIT, is_marked, operation_metadata
from karbor_backup_openstack.restore.names import check_names, restored_name
from karbor_backup_openstack.server_spec import Attachment, ServerSpec
from tests.backends.freezer.restore.harness import PROJECT, SERVER, VOLUME, restore_operation

WEB = Resource(SERVER, "s", "web")
DATA = Resource(VOLUME, "v", "data")


def test_restored_resource_has_the_requested_name() -> None:
    assert restored_name(restore_operation(WEB), WEB) == "new"


def test_a_servers_volume_is_named_by_its_device() -> None:
    assert restored_name(restore_operation(WEB), DATA, "/dev/vdb") == "new-vdb"


def test_a_servers_volume_without_a_device_is_named_by_its_own_name() -> None:
    assert restored_name(restore_operation(WEB), DATA) == "new-data"


def test_a_projects_member_is_named_by_its_own_name() -> None:
    whole = restore_operation(Resource(PROJECT, "p"))
    assert restored_name(whole, DATA, "/dev/vdb") == "new-data"
    assert restored_name(whole, Resource(VOLUME, "v")) == "new-v"


def test_name_is_kept_when_none_is_requested() -> None:
    assert restored_name(restore_operation(WEB, restore_name=""), DATA) == "data"


@given(st.text(), st.text(), st.text())
def test_no_name_is_too_long(given_name: str, own: str, device: str) -> None:
    operation = restore_operation(WEB, restore_name=given_name)
    assert len(restored_name(operation, Resource(VOLUME, "v", own), device)) <= NAME_LIMIT


def test_marks_differ_by_operation_and_source() -> None:
    one, other = restore_operation(WEB), restore_operation(WEB)
    metadata = {"owner": "me", **operation_metadata(one, "v")}
    assert is_marked(metadata, one)
    assert is_marked(metadata, one, "v")
    assert not is_marked(metadata, one, "w")
    assert not is_marked(metadata, other)
    assert not is_marked(None, one)


def _member(kind: str, name: str) -> Resource:
    return Resource(kind, f"id-of-{kind}", name)


@pytest.mark.parametrize("kind", [SERVER, VOLUME, "OS::Glance::Image"])
@pytest.mark.parametrize("own", ["n", "n" * 212, "名" * 200])
def test_combined_name_of_a_member_is_refused_beyond_the_limit(kind: str, own: str) -> None:
    whole, members = Resource(PROJECT, "p"), [_member(kind, own)]
    most = NAME_LIMIT - len(own) - 1
    check_names(restore_operation(whole, restore_name="n" * most), members, [])
    with pytest.raises(InvalidInput, match=f"would get a name of 256, .* at most {most}$"):
        check_names(restore_operation(whole, restore_name="n" * (most + 1)), members, [])


def test_members_without_a_fitting_name_must_be_restored_alone() -> None:
    with pytest.raises(InvalidInput, match="restore its members one by one"):
        check_names(restore_operation(Resource(PROJECT, "p")), [_member(VOLUME, "n" * 255)], [])


def test_combined_name_of_a_servers_volume_is_refused_beyond_the_limit() -> None:
    disk = Attachment(volume="id-of-OS::Cinder::Volume", device="/dev/vdb", included=True)
    server = ServerSpec(id="s", name="web", boots_from_volume=True, attachments=(disk,), details={})
    check_names(
        restore_operation(WEB, restore_name="n" * 251), [_member(VOLUME, "d" * 244)], [server]
    )
    with pytest.raises(InvalidInput, match="at most 251"):
        check_names(
            restore_operation(WEB, restore_name="n" * 252), [_member(VOLUME, "d")], [server]
        )


def test_unchanged_names_are_not_checked() -> None:
    whole = restore_operation(Resource(PROJECT, "p"), restore_name="")
    check_names(whole, [_member(VOLUME, "n" * 255)], [])
