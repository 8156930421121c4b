"""Surveys of a server and of a volume."""

from typing import Any

import pytest

from karbor_backup_core import BackendError, Check, InvalidInput, Resource, Transient, Unsupported
from karbor_backup_freezer.pieces import Attachment, Mode, Piece, Survey
from karbor_backup_freezer.survey import Surveyor
from sandbox import faults
from tests.backends.freezer.answering import PROJECT_ID, AnsweringCloud
from tests.backends.freezer.survey.scenes import server, tell, volume

SERVER, VOLUME, PROJECT = "OS::Nova::Server", "OS::Cinder::Volume", "OS::Keystone::Project"
GIB = 2**30


def survey(cloud: AnsweringCloud, type_: str, id_: str, **options: Any) -> Survey:
    return Surveyor(cloud.services).survey(Resource(type_, id_), options)


def refusal(cloud: AnsweringCloud, type_: str, id_: str, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        survey(cloud, type_, id_, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_server_that_boots_from_an_image_is_one_piece(answering: AnsweringCloud) -> None:
    tell(answering, [server("s1", image="i1")])
    seen = survey(answering, SERVER, "s1")
    assert seen.resource == Resource(SERVER, "s1", "name of s1")
    assert seen.pieces == (Piece(type=SERVER, id="s1", name="name of s1", mode=Mode.NOVA),)
    assert not seen.servers[0].boots_from_volume
    assert seen.checks == ()


def test_a_server_that_boots_from_a_volume_is_its_volume(answering: AnsweringCloud) -> None:
    tell(
        answering,
        [server("s1")],
        [volume("v1", bootable=True, status="in-use"), volume("v2", status="in-use")],
        attached={"s1": {"v2": "/dev/vdb", "v1": "/dev/vda"}},
    )
    seen = survey(answering, SERVER, "s1")
    assert [(piece.id, piece.mode, piece.size) for piece in seen.pieces] == [
        ("v1", Mode.CINDER, 2 * GIB)
    ]
    assert seen.servers[0].boots_from_volume
    assert seen.servers[0].attachments == (
        Attachment(volume="v1", device="/dev/vda", boot_index=0, included=True),
        Attachment(volume="v2", device="/dev/vdb", included=False),
    )
    assert seen.checks == (
        Check("volume v2", verified=False, reason="attached to server s1 and not in this backup"),
    )


@pytest.mark.parametrize(("image", "modes"), [("i1", ["nova", "cinder"]), ("", ["cinder"] * 2)])
def test_other_volumes_of_a_server_are_included_on_demand(
    answering: AnsweringCloud, image: str, modes: list[str]
) -> None:
    volumes = {"v2": "/dev/vdb"} if image else {"v2": "/dev/vdb", "v1": "/dev/vda"}
    tell(
        answering,
        [server("s1", image=image)],
        [volume("v1", bootable=True), volume("v2")],
        attached={"s1": volumes},
    )
    seen = survey(answering, SERVER, "s1", include_volumes=True)
    assert [piece.mode for piece in seen.pieces] == modes
    assert seen.pieces[-1].id == "v2"
    assert all(attachment.included for attachment in seen.servers[0].attachments)
    assert seen.checks == ()


def test_an_included_volume_that_cannot_be_backed_up_refuses_the_server(
    answering: AnsweringCloud,
) -> None:
    tell(
        answering,
        [server("s1", image="i1")],
        [volume("v1", encrypted=True)],
        attached={"s1": {"v1": "/dev/vdb"}},
    )
    assert survey(answering, SERVER, "s1").pieces[0].id == "s1"
    assert "encrypted" in refusal(answering, SERVER, "s1", include_volumes=True)


@pytest.mark.parametrize("mode", ["cinder", "cindernative"])
def test_a_volume_is_one_piece_in_the_mode_that_is_asked_for(
    answering: AnsweringCloud, mode: str
) -> None:
    tell(
        answering,
        volumes=[
            volume(
                "v1",
                bootable=True,
                description="words",
                metadata={"a": "b", "karbor_backup_operation": "x"},
                volume_image_metadata={"os_type": "linux"},
            )
        ],
    )
    assert survey(answering, VOLUME, "v1", mode=mode).pieces == (
        Piece(
            type=VOLUME,
            id="v1",
            name="name of v1",
            mode=Mode(mode),
            size=2 * GIB,
            details={
                "volume_type": "fast",
                "availability_zone": "nova",
                "metadata": {"a": "b"},
                "bootable": True,
                "image_metadata": {"os_type": "linux"},
                "description": "words",
            },
        ),
    )


@pytest.mark.parametrize(
    ("limits", "mode", "words"),
    [
        ({"maxTotalVolumes": 3, "totalVolumesUsed": 3}, "cinder", "quota of volumes"),
        ({"maxTotalVolumeGigabytes": 3, "totalGigabytesUsed": 2}, "cinder", "of gigabytes"),
        ({"maxTotalSnapshots": 0, "totalSnapshotsUsed": 0}, "cinder", "quota of snapshots"),
        ({"maxTotalBackups": 1, "totalBackupsUsed": 1}, "cindernative", "quota of backups"),
    ],
)
def test_a_quota_without_room_for_the_agents_copies_is_a_refusal(
    answering: AnsweringCloud, limits: dict[str, int], mode: str, words: str
) -> None:
    tell(answering, volumes=[volume("v1")], limits=limits)
    assert words in refusal(answering, VOLUME, "v1", mode=mode)
    other = "cindernative" if mode == "cinder" else "cinder"
    assert survey(answering, VOLUME, "v1", mode=other)


@pytest.mark.parametrize("type_", [SERVER, VOLUME])
def test_an_id_that_is_not_there_is_refused(answering: AnsweringCloud, type_: str) -> None:
    assert "nope: status 404" in refusal(answering, type_, "nope")


def test_an_id_of_another_type_is_told(answering: AnsweringCloud) -> None:
    tell(answering, [server("s1", image="i1")], [volume("v1")])
    assert refusal(answering, SERVER, "v1").endswith("That is the id of OS::Cinder::Volume.")
    assert refusal(answering, VOLUME, "s1").endswith("That is the id of OS::Nova::Server.")


def test_another_projects_things_are_refused(answering: AnsweringCloud) -> None:
    others = {"tenant_id": "other", "os-vol-tenant-attr:tenant_id": "other"}
    tell(answering, [server("s1", image="i1", **others)], [volume("v1", **others)])
    for type_, id_ in ((SERVER, "s1"), (VOLUME, "v1")):
        words = refusal(answering, type_, id_)
        assert "is of project other" in words
        assert PROJECT_ID in words
    assert f"are for project {PROJECT_ID}" in refusal(answering, PROJECT, "other")


def test_a_state_in_which_nothing_can_be_backed_up_is_refused(answering: AnsweringCloud) -> None:
    tell(
        answering,
        [server("s1", image="i1", status="ERROR")],
        [volume("v1", status="creating")],
    )
    assert "ERROR" in refusal(answering, SERVER, "s1")
    assert "creating" in refusal(answering, VOLUME, "v1")


def test_no_permission_is_a_refusal(answering: AnsweringCloud) -> None:
    answering.answer("/volumes/v1$", {"forbidden": {"message": "Policy says no."}}, 403)
    assert "status 403: Policy says no." in refusal(answering, VOLUME, "v1")


def test_an_id_that_is_none_is_never_sent(answering: AnsweringCloud) -> None:
    refusal(answering, VOLUME, "../servers/s1")
    assert answering.proxy.requests == []


def test_another_type_is_not_surveyed(answering: AnsweringCloud) -> None:
    with pytest.raises(Unsupported, match="Directory"):
        survey(answering, "Freezer::FileSystem::Directory", "/srv")


def test_a_fault_that_may_pass_is_no_refusal(answering: AnsweringCloud) -> None:
    answering.proxy.plan(faults.status(503), times=None, path="/volumes/v1$")
    with pytest.raises(BackendError) as caught:
        survey(answering, VOLUME, "v1")
    assert isinstance(caught.value, Transient)


@pytest.mark.parametrize(
    ("type_", "mode", "limit"),
    [(VOLUME, "cinder", 244), (VOLUME, "cindernative", 255), (SERVER, "", 212)],
)
def test_name_too_long_to_be_restored_is_refused(
    answering: AnsweringCloud, type_: str, mode: str, limit: int
) -> None:
    options = {"mode": mode} if mode else {}
    for length, accepted in ((limit, True), (limit + 1, mode == "cindernative")):
        one = f"x{length}"
        named = {"name": "n" * length}
        servers = [{**server(one, image="i1"), **named}] if type_ == SERVER else []
        volumes = [{**volume(one), **named}] if type_ == VOLUME else []
        tell(answering, servers, volumes)
        if accepted:
            assert survey(answering, type_, one, **options).pieces
        else:
            said = refusal(answering, type_, one, **options)
            assert f"has {length} characters" in said
            assert f"more than {limit}" in said
            assert survey(answering, type_, one, allow_unrestorable=True, **options).pieces


def test_names_of_a_projects_members_are_looked_at_in_each_mode(answering: AnsweringCloud) -> None:
    long = {"name": "n" * 250}
    tell(answering, [{**server("s1", image="i1"), **long}], [{**volume("v1"), **long}])
    said = refusal(answering, PROJECT, PROJECT_ID)
    assert "name of server s1 has 250" in said
    assert "name of volume v1 has 250" in said
    assert "name of server s1 has 250" in refusal(answering, PROJECT, PROJECT_ID, mode="tenant")
