"""What is said of a protect by what was seen of its data."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import Check, Part, Resource, Result
from karbor_backup_freezer.inspection import Assessment, Measurement, assess
from karbor_backup_freezer.inspection.contents import ArchiveContents
from karbor_backup_freezer.model.items import (
    BackupItem,
    DiscoveryResult,
    Mode,
    StoredItem,
)
from karbor_backup_openstack.native_backups import NativeBackup
from karbor_backup_openstack.server_spec import Attachment, ServerSpec

SERVER, VOLUME, PROJECT = "OS::Nova::Server", "OS::Cinder::Volume", "OS::Keystone::Project"
DIRECTORY = "Freezer::FileSystem::Directory"
GIB = 2**30
WHOLE = Measurement(stored=GIB, complete=True, noted=GIB)


def make_stored_item(
    mode: Mode = Mode.CINDER, id_: str = "v", type_: str = VOLUME, **more: Any
) -> Any:
    item = BackupItem(type=type_, id=id_, mode=mode, **{"size": GIB, **more})
    return StoredItem(item=item, record="r", time_stamp=1, native="n")


def assess_items(items: list[StoredItem], *measured: Measurement, **more: Any) -> Assessment:
    resource = items[0].item.resource if len(items) == 1 else Resource(PROJECT, "p")
    discovery = DiscoveryResult(resource=more.pop("resource", resource), **more)
    return assess(discovery, items, measured)


def test_complete_volume_is_verified() -> None:
    assert assess_items([make_stored_item()], WHOLE) == Assessment(
        checks=(Check("stored data", verified=True),)
    )


@pytest.mark.parametrize(
    ("measurement", "words"),
    [
        (Measurement(stored=0), "nothing is stored"),
        (Measurement(stored=0, complete=True, noted=0), "nothing is stored"),
        (attrs.evolve(WHOLE, stored=GIB - 1), "1073741823 bytes are stored"),
        (Measurement(stored=GIB - 1, complete=True, noted=GIB - 1), "of 1073741824"),
        (attrs.evolve(WHOLE, stored=GIB + 1), "the agent noted 1073741824"),
        (attrs.evolve(WHOLE, complete=False), "notes on it are missing"),
        (attrs.evolve(WHOLE, noted=None), "do not say how long"),
    ],
)
def test_incomplete_volume_is_a_failure(measurement: Measurement, words: str) -> None:
    assessment = assess_items([make_stored_item()], measurement)
    assert words in assessment.reason
    assert assessment.checks == (Check("stored data", verified=False, reason=assessment.reason),)


def test_volume_extended_after_discovery_is_complete() -> None:
    assert not assess_items(
        [make_stored_item()], Measurement(stored=2 * GIB, complete=True, noted=2 * GIB)
    ).reason


def test_server_size_is_compared_with_the_agents_metadata() -> None:
    server = [make_stored_item(Mode.NOVA, type_=SERVER)]
    assert not assess_items(server, Measurement(stored=7, complete=True, noted=7)).reason
    assert "noted 8" in assess_items(server, Measurement(stored=7, complete=True, noted=8)).reason


def test_directory_without_data_is_a_failure() -> None:
    tree = [make_stored_item(Mode.FS, type_="Freezer::FileSystem::Directory", size=None)]
    assert not assess_items(tree, Measurement(stored=1, complete=True)).reason
    assert "nothing is stored" in assess_items(tree, Measurement(stored=0, complete=True)).reason


def test_data_smaller_than_at_protect_is_a_failure() -> None:
    tree = attrs.evolve(make_stored_item(Mode.FS, type_="Freezer::FileSystem::Directory"), stored=9)
    assert (
        "9 were when it was made"
        in assess_items([tree], Measurement(stored=8, complete=True)).reason
    )
    assert not assess_items([tree], Measurement(stored=9, complete=True)).reason
    assert not assess_items([tree], Measurement(reason="far away")).reason


@given(st.text(min_size=1), st.sampled_from(list(Mode)))
def test_unreachable_data_is_unverified_and_no_failure(why: str, mode: Mode) -> None:
    assessment = assess_items([make_stored_item(mode)], Measurement(reason=why))
    assert assessment == Assessment(checks=(Check("stored data", verified=False, reason=why),))


def test_native_backup_is_verified_except_for_its_data() -> None:
    native = NativeBackup(id="n", status="available", size=GIB)
    assessment = assess_items([make_stored_item(Mode.NATIVE)], Measurement(native=native))
    assert [(check.name, check.verified) for check in assessment.checks] == [
        ("Cinder's backup", True),
        ("stored data", False),
    ]
    assert not assessment.reason


@pytest.mark.parametrize(
    ("native", "words"),
    [
        (NativeBackup(id="n", reason="Cinder has no backup n"), "no backup n"),
        (NativeBackup(id="n", status="error", reason="Cinder's backup n failed: disk"), "disk"),
        (NativeBackup(id="n", status="creating"), "'creating'"),
        (NativeBackup(id="n", status="available", size=GIB // 2), "the volume of 1073741824"),
    ],
)
def test_incomplete_native_backup_is_a_failure(native: NativeBackup, words: str) -> None:
    assert words in assess_items([make_stored_item(Mode.NATIVE)], Measurement(native=native)).reason


def test_checks_of_several_items_name_each() -> None:
    items = [
        make_stored_item(id_="one"),
        make_stored_item(id_="two"),
        make_stored_item(id_="three"),
    ]
    assessment = assess_items(items, WHOLE, Measurement(stored=0), Measurement(reason="far away"))
    assert assessment.reason.startswith("1 of 3 are not stored as they should be: two: nothing")
    assert [check.name for check in assessment.checks][1] == "stored data of volume two"
    assert [(part.resource.id, part.result) for part in assessment.parts] == [
        ("one", Result.SUCCEEDED),
        ("two", Result.FAILED),
        ("three", Result.SUCCEEDED),
    ]


def test_a_server_that_boots_from_a_volume_fails_with_its_volume() -> None:
    attached = (
        Attachment(volume="root", boot_index=0, included=True),
        Attachment(volume="other", included=False),
    )
    server = ServerSpec(id="s", name="web", boots_from_volume=True, attachments=attached)
    assessment = assess_items(
        [make_stored_item(id_="root")],
        Measurement(stored=0),
        resource=Resource(SERVER, "s", "web"),
        servers=(server,),
    )
    first, second = assessment.parts
    assert first.resource == Resource(SERVER, "s", "web")
    assert first.reason.startswith("its volume root: nothing")
    assert second == Part(Resource(VOLUME, "root"), Result.FAILED, assessment.reason)


def test_each_server_of_a_project_in_tenant_mode_is_a_member() -> None:
    items = [make_stored_item(Mode.TENANT, "p", PROJECT, size=None)]
    members = {"a": Measurement(stored=5, complete=True, noted=5), "b": Measurement(stored=0)}
    assessment = assess_items(items, Measurement(stored=5, complete=True, members=members))
    assert [(part.resource.id, part.result) for part in assessment.parts] == [
        ("a", Result.SUCCEEDED),
        ("b", Result.FAILED),
    ]
    assert "b: nothing is stored" in assessment.reason
    assert "list of its servers" in assess_items(items, Measurement(stored=0)).reason


def test_unread_archive_is_unverified() -> None:
    whole = Resource(DIRECTORY, "/srv")
    item = StoredItem(
        item=BackupItem(type=DIRECTORY, id="/srv", mode=Mode.FS), record="r", time_stamp=1
    )
    discovery = DiscoveryResult(resource=whole, items=(item.item,))

    def judged(contents: ArchiveContents) -> Assessment:
        measurement = Measurement(stored=9, complete=True, contents=contents)
        return assess(discovery, [item], [measurement])

    unread = judged(ArchiveContents(unread_reason="archives on swift are not read"))
    assert [(c.name, c.verified) for c in unread.checks] == [("stored data", False)]
    assert unread.reason == ""
    lacking = judged(ArchiveContents(member_count=1, missing=("a",), missing_count=1))
    assert [(c.name, c.verified) for c in lacking.checks] == [
        ("stored data", True),
        ("directory's contents", False),
    ]
    assert judged(ArchiveContents(problem="broken")).reason == "broken"
