"""What the contract does not ask of the Cinder backend about servers and projects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_cinder.sets.model import SetHandle
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._scenarios import require_unchanged
from karbor_backup_core import (
    Backup,
    HasDependents,
    Operation,
    ProgressState,
    Resource,
    Result,
    Verb,
)
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME
from tests.e2e.contract.cinder_harness import ScriptedVolumes, cinder_harness
from tests.e2e.contract.cinder_operations import OperationTest, refusal
from tests.e2e.contract.scripted_harness import ScriptedEnvironment, SharedTokenSessions
from tests.support.outcomes import get_backup, get_outcome
from tests.support.scripted_cloud import (
    CloudState,
    FakeResource,
    WorkOutcome,
    compute,
    volume_backups,
)


class ServerTest(OperationTest):
    """A running server with a system disk and a data volume."""

    @property
    def server(self) -> FakeResource:
        return self.state.servers.get(self.resource.id)

    def attached(self, server: FakeResource) -> list[FakeResource]:
        """Return the volumes of a server in the order of their devices."""
        attached = server.shown["os-extended-volumes:volumes_attached"]
        return [self.state.volumes.get(each["id"]) for each in attached]

    def restored_server(self, operation: Operation) -> FakeResource:
        outcome = get_outcome(operation)
        assert outcome.result is Result.SUCCEEDED, outcome
        server = next(each for each in outcome.resources if each.type == SERVER)
        return self.state.servers.get(server.id)


def make_test(harness: Any, kind: str) -> ServerTest:
    assert isinstance(harness.resources, ScriptedVolumes)
    context, resources = RuleContext(harness), harness.resources
    resource = context.create_resource(kind)
    return ServerTest(context, resources.state, resource, resources.project)


@pytest.fixture
def test(
    environment: ScriptedEnvironment, sessions: SharedTokenSessions, tmp_path: Path
) -> Iterator[ServerTest]:
    """Yield a server that boots from a volume."""
    with cinder_harness(environment, sessions, tmp_path, kinds=(SERVER,)) as harness:
        yield make_test(harness, SERVER)


@pytest.fixture
def image_test(
    environment: ScriptedEnvironment, sessions: SharedTokenSessions, tmp_path: Path
) -> Iterator[ServerTest]:
    """Yield a server that boots from an image."""
    with cinder_harness(
        environment, sessions, tmp_path, kinds=(SERVER,), boots_from_volume=False
    ) as harness:
        yield make_test(harness, SERVER)


@pytest.fixture
def project_test(
    environment: ScriptedEnvironment, sessions: SharedTokenSessions, tmp_path: Path
) -> Iterator[ServerTest]:
    """Yield a project with a volume alone, and a server with two volumes."""
    with cinder_harness(
        environment, sessions, tmp_path, kinds=(PROJECT, SERVER, VOLUME)
    ) as harness:
        yield make_test(harness, PROJECT)


def member(backup: Backup, identifier: str) -> Backup:
    return next(each for each in backup.members if each.resource.id == identifier)


def test_all_snapshots_are_there_before_the_first_copy_begins(
    test: ServerTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[set[str]] = []
    begin = volume_backups.new_backup

    def note(state: CloudState, project: str, asked: Any) -> FakeResource:
        begun.append({each.shown["volume_id"] for each in state.snapshots})
        return begin(state, project, asked)

    monkeypatch.setattr(volume_backups, "new_backup", note)
    volumes = {volume.id for volume in test.attached(test.server)}
    backup = test.protect()
    assert begun == [volumes, volumes]
    assert not list(test.state.snapshots), "they are removed when the copies are made"
    (check,) = [each for each in backup.checks if each.name.startswith("disks of server")]
    assert "one right after the other" in check.reason


def test_disks_of_a_server_that_was_shut_off_are_of_one_instant(test: ServerTest) -> None:
    test.server.shown["status"] = "SHUTOFF"
    checks = test.protect().checks
    assert all(check.verified for check in checks if check.name.startswith("disks of server"))


def test_server_is_restored_with_its_shape_and_its_volumes_in_order(test: ServerTest) -> None:
    source = test.server
    boot, data = test.attached(source)
    boot.content, data.content = b"system", b"accounts"
    data.shown.update(description="of the accounts", volume_type="fast")
    source.shown.update(tags=["front"], description="the shop")
    backup = test.protect(backup_name=" nightly ")
    names = {each.name for each in test.state.backups}
    assert names == {f"nightly_{backup.id}"}
    server = test.restored_server(test.run(Verb.RESTORE, backup, restore_name="copy"))
    assert (server.shown["name"], server.shown["tags"]) == ("copy", ["front"])
    assert server.shown["description"] == "the shop"
    assert server.shown["flavor"] == source.shown["flavor"]
    new_boot, new_data = test.attached(server)
    assert (new_boot.content, new_data.content) == (b"system", b"accounts")
    assert new_data.shown["volume_type"] == "fast"
    assert new_data.shown["description"] == "of the accounts"
    assert new_boot.shown["bootable"] == "true"
    assert {new_boot.id, new_data.id}.isdisjoint({boot.id, data.id})


def test_volume_of_a_server_is_restored_alone_and_over_itself(test: ServerTest) -> None:
    _, data = test.attached(test.server)
    data.content = b"accounts"
    part = member(test.protect(), data.id)
    test.context.run_successfully(Verb.VERIFY, part)
    restored = test.context.restored_resource(test.run(Verb.RESTORE, part, restore_name="alone"))
    assert test.state.volumes.get(restored.id).content == b"accounts"
    assert len(list(test.state.servers)) == 1
    data.content = b"changed!"
    data.shown["status"] = "available"
    test.run(Verb.RESTORE, part, overwrite_volume=True)
    assert data.content == b"accounts"


def test_server_of_an_image_is_restored_from_the_image_of_its_backup(
    image_test: ServerTest,
) -> None:
    test = image_test
    test.server.content = b"system"
    before = test.context.inventory()
    backup = test.protect()
    (made,) = [each for each in test.state.images if each.id in backup.handle["images"].values()]
    assert made.content == b"system"
    test.server.content = b"changed"
    server = test.restored_server(test.run(Verb.RESTORE, backup, restore_name="copy"))
    assert server.content == b"system"
    assert server.shown["image"] == {"id": made.id}
    with test.state.lock, test.state.without_delay():
        test.context.harness.resources.delete(Resource(SERVER, server.id))
    test.context.run_successfully(Verb.VERIFY, backup)
    test.context.run_successfully(Verb.DELETE, backup)
    require_unchanged(test.context, before, "a protect, a restore and a delete")


def test_image_of_a_system_disk_is_made_when_the_volumes_have_their_snapshots(
    image_test: ServerTest,
) -> None:
    test = image_test
    data = test.context.create_resource(VOLUME)
    volume = test.state.volumes.get(data.id)
    with test.state.lock, test.state.without_delay():
        compute.attach(test.state, test.server, volume, {"device": "/dev/vdb"})
    test.server.content, volume.content = b"system", b"accounts"
    server = test.restored_server(test.run(Verb.RESTORE, test.protect(), restore_name="copy"))
    (restored,) = test.attached(server)
    assert (server.content, restored.content) == (b"system", b"accounts")


def test_failed_or_cancelled_protect_of_an_image_leaves_none(image_test: ServerTest) -> None:
    test = image_test
    before = test.context.inventory()
    test.state.planned_work.append(WorkOutcome(fails=True))
    outcome = get_outcome(test.run(Verb.PROTECT, test.resource))
    assert outcome.result is Result.FAILED
    assert f"server {test.resource.id} is gone" in outcome.reason
    running = test.context.start_running(Verb.PROTECT, test.resource)
    cancelled = get_outcome(test.context.finish(test.context.cancel(running)))
    assert cancelled.result is Result.CANCELLED
    require_unchanged(test.context, before, "two protects without a backup")


def test_backup_without_its_image_is_refused_and_not_verified(image_test: ServerTest) -> None:
    test = image_test
    backup = test.protect()
    (identifier,) = backup.handle["images"].values()
    image = test.state.images.get(identifier)
    marks = image.shown.pop("karbor_backup_operation")
    assert "or of something else" in refusal(test.run(Verb.RESTORE, backup))
    outcome = get_outcome(test.run(Verb.DELETE, backup))
    assert "not provably of backup" in outcome.reason
    assert identifier in test.state.images
    image.shown["karbor_backup_operation"] = marks
    test.state.images.remove(image)
    assert "is gone" in refusal(test.run(Verb.RESTORE, backup))
    outcome = get_outcome(test.run(Verb.VERIFY, backup))
    assert outcome.result is Result.FAILED
    test.context.run_successfully(Verb.DELETE, backup)


def test_delete_of_a_set_with_dependents_is_refused_and_names_them(test: ServerTest) -> None:
    full, changes = test.protect(), test.protect(incremental="always")
    assert all(each.shown["is_incremental"] for each in list(test.state.backups)[2:])
    (check,) = [check for check in changes.checks if check.name == "parents"]
    for volume in full.handle["volumes"]:
        assert volume["backup"] in check.reason
    before = test.context.inventory()
    with pytest.raises(HasDependents) as refused:
        test.run(Verb.DELETE, full)
    assert refused.value.dependents == (changes.id,)
    require_unchanged(test.context, before, "a refused delete")
    for backup in (changes, full):
        test.context.run_successfully(Verb.DELETE, backup)
    assert not list(test.state.backups)


def test_incremental_set_without_full_backups_is_refused(test: ServerTest) -> None:
    before = test.context.inventory()
    reason = refusal(test.run(Verb.PROTECT, test.resource, incremental="always"))
    assert all(volume.id in reason for volume in test.attached(test.server))
    require_unchanged(test.context, before, "a refused protect")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": "ERROR"}, "repair it first"),
        ({"OS-EXT-STS:task_state": "rebooting"}, "wait for its end"),
    ],
)
def test_server_that_cannot_be_protected_now_is_refused(
    test: ServerTest, change: dict[str, Any], expected: str
) -> None:
    test.server.shown.update(change)
    assert expected in refusal(test.run(Verb.PROTECT, test.resource))


def test_server_with_an_encrypted_volume_is_refused(test: ServerTest) -> None:
    _, data = test.attached(test.server)
    data.shown["encrypted"] = True
    assert f"volume {data.id}" in refusal(test.run(Verb.PROTECT, test.resource))
    assert not list(test.state.snapshots)


def test_restore_without_the_flavor_is_refused(test: ServerTest) -> None:
    backup = test.protect()
    for flavor in list(test.state.flavors):
        test.state.flavors.remove(flavor)
    before = test.context.inventory()
    assert "there is no flavor" in refusal(test.run(Verb.RESTORE, backup))
    require_unchanged(test.context, before, "a refused restore")


def test_interrupted_restore_of_one_volume_leaves_nothing(test: ServerTest) -> None:
    backup = test.protect()
    before = test.context.inventory()
    # Two volumes are made, then the second restore is broken off.
    test.state.planned_work += [WorkOutcome()] * 3 + [WorkOutcome(fails=True)]
    outcome = get_outcome(test.run(Verb.RESTORE, backup))
    assert outcome.result is Result.FAILED
    assert "error_restoring" in outcome.reason
    require_unchanged(test.context, before, "a restore that was interrupted")


def test_forged_handle_of_a_server_touches_nothing(test: ServerTest) -> None:
    backup = test.protect()
    volumes = [{**volume, "backup": test.resource.id} for volume in backup.handle["volumes"]]
    for handle in (
        {**backup.handle, "volumes": volumes},
        {**backup.handle, "images": {test.resource.id: test.resource.id}},
        {key: value for key, value in backup.handle.items() if key != "servers"},
    ):
        forged = attrs.evolve(backup, handle=handle)
        assert "damaged" in get_outcome(test.run(Verb.DELETE, forged)).reason
    assert len(list(test.state.backups)) == 2
    newer = attrs.evolve(backup, handle={**backup.handle, "format": 2})
    assert "format 2" in get_outcome(test.run(Verb.RESTORE, newer)).reason


def test_handle_with_the_backups_of_another_protect_touches_them_not(test: ServerTest) -> None:
    one, other = test.protect(), test.protect()
    handle = SetHandle.from_backup(other).to_document(one.id)
    forged = attrs.evolve(one, handle=handle)
    for verb in (Verb.DELETE, Verb.RESTORE, Verb.VERIFY):
        assert "belongs to something else" in refusal(test.run(verb, forged))
    assert len(list(test.state.backups)) == 4


def test_project_brings_its_servers_and_volumes_back(project_test: ServerTest) -> None:
    test = project_test
    (server,) = test.state.servers
    backup = test.protect()
    assert {each.resource.type for each in backup.members} == {SERVER, VOLUME}
    assert len(backup.members) == 4
    restored = test.run(Verb.RESTORE, backup, restore_name="restored")
    outcome = get_outcome(restored)
    assert [part.result for part in outcome.parts] == [Result.SUCCEEDED] * 4
    alone = test.run(Verb.RESTORE, member(backup, server.id), restore_name="one")
    assert test.restored_server(alone).shown["name"] == "one"
    assert len(test.attached(test.restored_server(alone))) == 2


def test_failed_restore_of_a_project_keeps_the_members_that_are_whole(
    project_test: ServerTest,
) -> None:
    test = project_test
    backup = test.protect()
    # Three volumes are made, and the restore of the first, which belongs to no server, fails.
    test.state.planned_work += [WorkOutcome()] * 3 + [WorkOutcome(fails=True)]
    outcome = get_outcome(test.run(Verb.RESTORE, backup, restore_name="restored"))
    assert outcome.result is Result.FAILED
    assert "restored 3 of 4" in outcome.reason
    assert len(list(test.state.servers)) == 2
    assert len(list(test.state.volumes)) == 5


def test_other_project_is_refused(project_test: ServerTest) -> None:
    other = Resource(PROJECT, "0" * 32)
    assert "use that project's credentials" in refusal(project_test.run(Verb.PROTECT, other))


def test_empty_project_has_nothing_to_store(project_test: ServerTest) -> None:
    test = project_test
    test.context.harness.resources.delete(test.resource)
    operation = test.run(Verb.PROTECT, test.resource)
    backup = get_backup(operation)
    assert [check.name for check in backup.checks] == ["nothing to store"]
    for verb in (Verb.VERIFY, Verb.RESTORE, Verb.DELETE):
        test.context.run_successfully(verb, backup)


def test_restores_that_go_on_are_found_by_the_next_call(test: ServerTest) -> None:
    repeated = test.repeat_lost_restore(test.protect())
    assert (repeated.state, (repeated.receipt or {})["step"]) == (
        ProgressState.RUNNING,
        "restorations",
    )
