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
from tests.backends.fake.harness import PROJECT, SERVER, VOLUME, DriverHarness

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
    harness: DriverHarness, resource: Resource, phases: int
) -> None:
    protect = harness.run(Verb.PROTECT, resource, phases=phases)
    outcome = outcome_of(protect)
    assert outcome.result is Result.SUCCEEDED
    assert protect.phase == phases
    assert protect.amount.done == protect.amount.total
    assert protect.amount.unit == "bytes"
    assert outcome.backup is not None
    assert harness.cloud.remaining_ids(protect.id) == [copy_of(outcome.backup)]


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_restore_makes_a_new_resource_with_the_old_content(
    harness: DriverHarness, resource: Resource
) -> None:
    old_content = harness.cloud.read_content(resource.id)
    restored = outcome_of(harness.run(Verb.RESTORE, harness.protect(resource)))
    new = restored.resources[0]
    assert (new.type, new.name) == (resource.type, "again")
    assert new.id != resource.id
    assert (
        harness.cloud.read_content(new.id) == harness.cloud.read_content(resource.id) == old_content
    )


def test_restored_project_has_all_its_members(harness: DriverHarness) -> None:
    outcome = outcome_of(harness.run(Verb.RESTORE, harness.protect(PROJECT)))
    new, *members = outcome.resources
    assets = harness.cloud.inventory.assets
    server, data = (assets[each] for each in assets[new.id].members)
    (boot,) = (assets[each] for each in server.members)
    assert [each.resource.name for each in (server, data, boot)] == ["web", "data", "boot"]
    assert members == [server.resource, data.resource]
    became = [(part.resource.id, part.restored) for part in outcome.parts]
    assert became == [("server-1", server.resource), ("volume-2", data.resource)]
    assert boot.content == b"boot sector\x00\x01"
    assert data.content == b"rows of a database"


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_lost_resource_is_restored_in_its_project(
    harness: DriverHarness, resource: Resource
) -> None:
    before = dict(harness.cloud.inventory.assets)
    backup = harness.protect(resource)
    harness.cloud.remove_resource(resource.id)
    options = {"restore_name": resource.name, "in_place": True}
    assert outcome_of(harness.run(Verb.RESTORE, backup, options)).resources[0] == resource
    after = harness.cloud.inventory.assets
    assert {id_: (x.content, x.members) for id_, x in after.items()} == {
        id_: (x.content, x.members) for id_, x in before.items()
    }


def test_restore_never_overwrites_an_existing_resource(harness: DriverHarness) -> None:
    before = dict(harness.cloud.inventory.assets)
    options = {"restore_name": "web", "in_place": True}
    restore = harness.run(Verb.RESTORE, harness.protect(SERVER), options)
    assert outcome_of(restore).result is Result.FAILED
    assert "server-1 is still there" in outcome_of(restore).reason
    assert harness.cloud.inventory.assets == before
    assert harness.cloud.remaining_ids(restore.id) == []


def test_each_member_of_a_project_can_be_restored_alone(harness: DriverHarness) -> None:
    members = harness.protect(PROJECT).members
    assert [each.resource.id for each in members] == ["server-1", "volume-2"]
    for member in members:
        new = outcome_of(harness.run(Verb.RESTORE, member)).resources[0]
        assert harness.cloud.read_content(new.id) == harness.cloud.read_content(member.resource.id)


def test_a_delete_removes_its_own_backup_and_no_other(harness: DriverHarness) -> None:
    older, newer = harness.protect(PROJECT), harness.protect(PROJECT)
    delete = harness.run(Verb.DELETE, older)
    assert outcome_of(delete).result is Result.SUCCEEDED
    assert harness.cloud.remaining_ids(older.id) == harness.cloud.remaining_ids(delete.id) == []
    assert {copy.operation for copy in harness.cloud.copies()} == {newer.id}


def test_delete_of_a_missing_copy_succeeds(harness: DriverHarness) -> None:
    backup = harness.protect(VOLUME)
    for _ in range(2):
        assert outcome_of(harness.run(Verb.DELETE, backup)).result is Result.SUCCEEDED


def test_verify_returns_its_checks(harness: DriverHarness) -> None:
    backup = harness.protect(SERVER)
    verified = outcome_of(harness.run(Verb.VERIFY, backup))
    assert verified.checks == (
        Check("copy exists", verified=True),
        Check("data is intact", verified=True),
    )
    assert verified.backup is not None
    assert verified.backup.checks == verified.checks


def test_a_verify_of_damaged_data_fails_and_names_the_copy(harness: DriverHarness) -> None:
    backup = harness.protect(VOLUME)
    harness.cloud.corrupt_copy(copy_of(backup))
    verified = outcome_of(harness.run(Verb.VERIFY, backup))
    assert verified.result is Result.FAILED
    assert [check.verified for check in verified.checks] == [True, False]
    assert copy_of(backup) in verified.reason


@pytest.mark.parametrize("verb", [Verb.VERIFY, Verb.RESTORE])
def test_backup_without_its_copy_cannot_be_used(harness: DriverHarness, verb: Verb) -> None:
    backup = harness.protect(VOLUME)
    harness.run(Verb.DELETE, backup)
    outcome = outcome_of(harness.run(verb, backup))
    assert outcome.result is Result.FAILED
    assert outcome.reason


def test_missing_resource_cannot_be_protected(harness: DriverHarness) -> None:
    protect = harness.run(Verb.PROTECT, Resource("OS::Cinder::Volume", "volume-404"))
    assert outcome_of(protect).result is Result.FAILED
    assert "volume-404" in outcome_of(protect).reason
    assert harness.cloud.remaining_ids(protect.id) == []


@pytest.mark.parametrize("kind", ["OS::Glance::Image", "OS::Neutron::Network"])
def test_images_and_networks_are_covered_without_a_request(
    harness: DriverHarness, kind: str
) -> None:
    outcome = outcome_of(harness.run(Verb.PROTECT, Resource(kind, "any")))
    assert outcome.result is Result.SUCCEEDED
    assert outcome.covered == "the server that uses it"
    assert not harness.cloud.requests


def test_a_type_that_is_not_declared_is_refused(harness: DriverHarness) -> None:
    with pytest.raises(Unsupported, match="OS::Manila::Share"):
        harness.add_operation(Verb.PROTECT, Resource("OS::Manila::Share", "share-1"))


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
def test_invalid_options_are_refused(
    harness: DriverHarness, verb: Verb, options: dict[str, object]
) -> None:
    target = VOLUME if verb is Verb.PROTECT else harness.protect(VOLUME)
    with pytest.raises(InvalidInput):
        harness.add_operation(verb, target, options)
