"""Surveys of a project."""

from typing import Any

import pytest

from karbor_backup_core import InvalidInput, Resource
from karbor_backup_freezer.pieces import Survey
from karbor_backup_freezer.survey import Surveyor
from tests.backends.freezer.answering import PROJECT_ID, AnsweringCloud
from tests.backends.freezer.survey.scenes import server, tell, volume

PROJECT = Resource("OS::Keystone::Project", PROJECT_ID, "demo")
PREFIX = f"{'0a' * 16}-3_"


def image(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": f"name of {id_}", "status": "active", "size": 5, **more}


def survey(cloud: AnsweringCloud, **options: Any) -> Survey:
    return Surveyor(cloud.services).survey(PROJECT, options)


def pieces(seen: Survey) -> list[tuple[str, str]]:
    return [(piece.mode.value, piece.id) for piece in seen.pieces]


def test_every_server_and_volume_is_a_piece_once(answering: AnsweringCloud) -> None:
    tell(
        answering,
        [server("s1", image="i1"), server("s2")],
        [volume("v1", bootable=True, multiattach=True), volume("v2"), volume("v3")],
        [image("i1")],
        attached={"s1": {"v1": "/dev/vdb"}, "s2": {"v1": "/dev/vda", "v2": "/dev/vdb"}},
    )
    seen = survey(answering)
    assert seen.resource == PROJECT
    assert pieces(seen) == [("nova", "s1"), ("cinder", "v1"), ("cinder", "v2"), ("cinder", "v3")]
    assert [notes.id for notes in seen.servers] == ["s1", "s2"]
    assert all(a.included for notes in seen.servers for a in notes.attachments)
    assert seen.checks == ()
    assert not [r for r in answering.proxy.requests if r.path.startswith("/image")]


def test_images_are_pieces_on_demand(answering: AnsweringCloud) -> None:
    tell(answering, images=[image("i1"), image("i2", size=0)])
    seen = survey(answering, include_images=True)
    assert pieces(seen) == [("glance", "i1")]
    assert seen.pieces[0].size == 5
    assert [check.name for check in seen.checks] == ["image i2"]
    asked = [r.query for r in answering.proxy.requests if r.path.endswith("/images")]
    assert [f"owner={PROJECT_ID}" in query for query in asked] == [True, True]
    assert sum("os_hidden" in query for query in asked) == 1


def test_an_empty_project_has_no_piece(answering: AnsweringCloud) -> None:
    tell(answering)
    assert survey(answering).pieces == ()
    assert survey(answering, mode="tenant").pieces == ()


def test_things_of_a_job_of_ours_are_left_out(answering: AnsweringCloud) -> None:
    tell(
        answering,
        volumes=[volume("v1", name=f"{PREFIX}backup_v2", status="deleting"), volume("v2")],
        images=[image("i1", name=f"{PREFIX}restore_web", status="saving")],
    )
    assert pieces(survey(answering, include_images=True)) == [("cinder", "v2")]


def test_all_that_cannot_be_backed_up_is_named(answering: AnsweringCloud) -> None:
    tell(
        answering,
        [server("s1", image="i1", status="ERROR"), server("s2", image="i1")],
        [volume("v1", status="creating"), volume("v2", encrypted=True)],
        [image("i1", status="saving")],
    )
    with pytest.raises(InvalidInput) as caught:
        survey(answering, include_images=True)
    for words in ("server s1", "volume v1", "volume v2", "image i1"):
        assert words in str(caught.value)
    assert "server s2" not in str(caught.value)


def test_a_refusal_stays_readable(answering: AnsweringCloud) -> None:
    tell(answering, volumes=[volume(f"v{number}", status="error") for number in range(25)])
    with pytest.raises(InvalidInput, match=r"and 15 more$"):
        survey(answering)


def test_freezers_own_backup_of_a_project_is_one_piece(answering: AnsweringCloud) -> None:
    tell(answering, [server("s1", image="i1"), server("s2", image="i1")], [volume("v1")])
    seen = survey(answering, mode="tenant")
    assert pieces(seen) == [("tenant", PROJECT_ID)]
    assert [notes.id for notes in seen.servers] == ["s1", "s2"]
    assert [check.verified for check in seen.checks] == [False]


def test_freezers_own_backup_is_refused_where_it_would_store_nothing(
    answering: AnsweringCloud,
) -> None:
    tell(
        answering,
        [server("s1", image="i1"), server("s2")],
        [volume("v1", bootable=True)],
        attached={"s2": {"v1": "/dev/vda"}},
    )
    with pytest.raises(InvalidInput, match=r"server s2 .*use the mode 'resources'"):
        survey(answering, mode="tenant")


def test_the_largest_volume_needs_room_once(answering: AnsweringCloud) -> None:
    limits = {"maxTotalVolumes": 3, "totalVolumesUsed": 2, "maxTotalVolumeGigabytes": 10}
    volumes = [volume("v1", size=3), volume("v2", size=4)]
    tell(answering, volumes=volumes, limits={**limits, "totalGigabytesUsed": 6})
    assert len(survey(answering).pieces) == 2
