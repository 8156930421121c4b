"""What the fake backend does with each verb, driven as the core drives it."""

import pytest

from karbor_backup_core import (
    Backup,
    Check,
    InvalidInput,
    Operation,
    Outcome,
    Resource,
    Result,
    State,
    Unsupported,
    Verb,
)
from tests.backends.fake.bench import PROJECT, SERVER, VOLUME, Bench

RESOURCES = [VOLUME, SERVER, PROJECT]


def outcome_of(operation: Operation) -> Outcome:
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    return operation.outcome


def copy_of(backup: Backup) -> str:
    return str(backup.handle["copy"])


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
@pytest.mark.parametrize("phases", [1, 2, 3])
def test_a_protect_leaves_a_copy_and_nothing_else(
    bench: Bench, resource: Resource, phases: int
) -> None:
    protect = bench.done(Verb.PROTECT, resource, phases=phases)
    outcome = outcome_of(protect)
    assert outcome.result is Result.SUCCEEDED
    assert protect.phase == phases
    assert protect.done == protect.total
    assert protect.unit == "bytes"
    assert outcome.backup is not None
    assert bench.cloud.left_by(protect.id) == [copy_of(outcome.backup)]


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_restore_makes_a_new_resource_with_the_old_content(
    bench: Bench, resource: Resource
) -> None:
    old_content = bench.cloud.content(resource.id)
    restored = outcome_of(bench.done(Verb.RESTORE, bench.backup(resource)))
    new = restored.resources[0]
    assert (new.type, new.name) == (resource.type, "again")
    assert new.id != resource.id
    assert bench.cloud.content(new.id) == bench.cloud.content(resource.id) == old_content


def test_a_restored_project_has_all_that_was_in_it(bench: Bench) -> None:
    outcome = outcome_of(bench.done(Verb.RESTORE, bench.backup(PROJECT)))
    new, *members = outcome.resources
    assets = bench.cloud.inventory.assets
    server, data = (assets[each] for each in assets[new.id].members)
    (boot,) = (assets[each] for each in server.members)
    assert [each.resource.name for each in (server, data, boot)] == ["web", "data", "boot"]
    assert members == [server.resource, data.resource]
    became = [(part.resource.id, part.restored) for part in outcome.parts]
    assert became == [("server-1", server.resource), ("volume-2", data.resource)]
    assert boot.content == b"boot sector\x00\x01"
    assert data.content == b"rows of a database"


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_resource_that_was_lost_comes_back_in_its_place(bench: Bench, resource: Resource) -> None:
    before = dict(bench.cloud.inventory.assets)
    backup = bench.backup(resource)
    bench.cloud.lose(resource.id)
    options = {"restore_name": resource.name, "in_place": True}
    assert outcome_of(bench.done(Verb.RESTORE, backup, options)).resources[0] == resource
    after = bench.cloud.inventory.assets
    assert {id_: (x.content, x.members) for id_, x in after.items()} == {
        id_: (x.content, x.members) for id_, x in before.items()
    }


def test_a_restore_never_overwrites_what_is_still_there(bench: Bench) -> None:
    before = dict(bench.cloud.inventory.assets)
    options = {"restore_name": "web", "in_place": True}
    restore = bench.done(Verb.RESTORE, bench.backup(SERVER), options)
    assert outcome_of(restore).result is Result.FAILED
    assert "server-1 is still there" in outcome_of(restore).reason
    assert bench.cloud.inventory.assets == before
    assert bench.cloud.left_by(restore.id) == []


def test_each_member_of_a_project_can_be_restored_alone(bench: Bench) -> None:
    members = bench.backup(PROJECT).members
    assert [each.resource.id for each in members] == ["server-1", "volume-2"]
    for member in members:
        new = outcome_of(bench.done(Verb.RESTORE, member)).resources[0]
        assert bench.cloud.content(new.id) == bench.cloud.content(member.resource.id)


def test_a_delete_removes_its_own_backup_and_no_other(bench: Bench) -> None:
    older, newer = bench.backup(PROJECT), bench.backup(PROJECT)
    delete = bench.done(Verb.DELETE, older)
    assert outcome_of(delete).result is Result.SUCCEEDED
    assert bench.cloud.left_by(older.id) == bench.cloud.left_by(delete.id) == []
    assert {copy.operation for copy in bench.cloud.copies()} == {newer.id}


def test_a_delete_of_what_is_gone_already_succeeds(bench: Bench) -> None:
    backup = bench.backup(VOLUME)
    for _ in range(2):
        assert outcome_of(bench.done(Verb.DELETE, backup)).result is Result.SUCCEEDED


def test_a_verify_says_what_it_has_seen(bench: Bench) -> None:
    backup = bench.backup(SERVER)
    verified = outcome_of(bench.done(Verb.VERIFY, backup))
    assert verified.checks == (
        Check("copy exists", verified=True),
        Check("data is intact", verified=True),
    )
    assert verified.backup is not None
    assert verified.backup.checks == verified.checks


def test_a_verify_of_damaged_data_fails_and_names_the_copy(bench: Bench) -> None:
    backup = bench.backup(VOLUME)
    bench.cloud.damage(copy_of(backup))
    verified = outcome_of(bench.done(Verb.VERIFY, backup))
    assert verified.result is Result.FAILED
    assert [check.verified for check in verified.checks] == [True, False]
    assert copy_of(backup) in verified.reason


@pytest.mark.parametrize("verb", [Verb.VERIFY, Verb.RESTORE])
def test_a_backup_whose_copy_is_gone_cannot_be_used(bench: Bench, verb: Verb) -> None:
    backup = bench.backup(VOLUME)
    bench.done(Verb.DELETE, backup)
    outcome = outcome_of(bench.done(verb, backup))
    assert outcome.result is Result.FAILED
    assert outcome.reason


def test_a_resource_that_is_not_there_cannot_be_protected(bench: Bench) -> None:
    protect = bench.done(Verb.PROTECT, Resource("OS::Cinder::Volume", "volume-404"))
    assert outcome_of(protect).result is Result.FAILED
    assert "volume-404" in outcome_of(protect).reason
    assert bench.cloud.left_by(protect.id) == []


@pytest.mark.parametrize("kind", ["OS::Glance::Image", "OS::Neutron::Network"])
def test_images_and_networks_are_covered_without_a_request(bench: Bench, kind: str) -> None:
    outcome = outcome_of(bench.done(Verb.PROTECT, Resource(kind, "any")))
    assert outcome.result is Result.SUCCEEDED
    assert outcome.covered == "the server that uses it"
    assert not bench.cloud.requests


def test_a_type_that_is_not_declared_is_refused(bench: Bench) -> None:
    with pytest.raises(Unsupported, match="OS::Manila::Share"):
        bench.planned(Verb.PROTECT, Resource("OS::Manila::Share", "share-1"))


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        (Verb.PROTECT, {}),
        (Verb.PROTECT, {"backup_name": ""}),
        (Verb.PROTECT, {"backup_name": "x", "colour": "red"}),
        (Verb.RESTORE, {"in_place": True}),
        (Verb.RESTORE, {"restore_name": "x", "in_place": "yes"}),
        (Verb.DELETE, {"backup_name": "x"}),
    ],
)
def test_options_that_do_not_fit_are_refused(
    bench: Bench, verb: Verb, options: dict[str, object]
) -> None:
    target = VOLUME if verb is Verb.PROTECT else bench.backup(VOLUME)
    with pytest.raises(InvalidInput):
        bench.planned(verb, target, options)
