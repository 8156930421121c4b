"""Copies of backups: what is planned, what is refused, and what a success leaves."""

from collections.abc import Iterator

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    Backup,
    ContractViolation,
    Driver,
    InvalidDocument,
    InvalidInput,
    Lifecycle,
    MemoryStore,
    Progress,
    ProgressState,
    Resource,
    Runner,
    State,
    Store,
    Unsupported,
    Verb,
    WrongBackend,
    hookimpl,
    plan_copy,
    plan_delete,
    system_clock,
)
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_fake import FakeBackend, FakeCloud

BOOT_DISK = Resource("OS::Cinder::Volume", "disk-1", "disk")
SERVER = Resource("OS::Nova::Server", "server-1", "web")


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud("here")
    cloud.add_resource(BOOT_DISK, b"boot sector")
    cloud.add_resource(SERVER, b"flavor", (BOOT_DISK,))
    return cloud


@pytest.fixture
def store() -> Store:
    return MemoryStore()


@pytest.fixture
def runner(cloud: FakeCloud, store: Store) -> Iterator[Runner]:
    near = Backend.from_plugin("near", FakeBackend({}, cloud=cloud))
    far = Backend.from_plugin("far", FakeBackend({"vault": "far"}, cloud=cloud))
    with Runner(store, [near, far]) as runner:
        yield runner


@pytest.fixture
def backup(runner: Runner, store: Store) -> Backup:
    done = runner.protect("near", SERVER, {"backup_name": "nightly"}).result(60)
    return store.backup(done.raise_for_outcome().id)


def test_a_copy_is_a_backup_of_the_backend_that_has_it(
    runner: Runner, store: Store, backup: Backup
) -> None:
    done = runner.copy("far", backup).result(60).raise_for_outcome()
    copy = store.backup(done.id)
    assert (copy.id, copy.copy_of, copy.resource) == (done.id, backup.id, SERVER)
    assert (copy.scope, copy.storage, copy.backend) == ("fake:here/far", "far", "fake")
    assert store.backup(backup.id) == backup


def test_a_copy_is_as_old_as_its_data_and_was_protected_in_the_same_way(
    runner: Runner, store: Store, backup: Backup
) -> None:
    copy = store.backup(runner.copy("far", backup).result(60).id)
    assert (copy.created_at, copy.options) == (backup.created_at, {"backup_name": "nightly"})


def test_the_members_of_a_copy_are_copies_of_members(
    runner: Runner, store: Store, backup: Backup
) -> None:
    (member,) = store.backup(runner.copy("far", backup).result(60).id).members
    assert member.resource == BOOT_DISK
    assert (member.copy_of, member.scope) == (backup.members[0].id, "fake:here/far")
    assert member.whole_id != backup.id


def test_a_copy_is_used_when_the_first_place_is_lost(
    runner: Runner, store: Store, backup: Backup, cloud: FakeCloud
) -> None:
    copy = store.backup(runner.copy("far", backup).result(60).id)
    cloud.lose_vault("")
    restored = runner.restore("far", copy, {"restore_name": "again"}).result(60)
    (made, *_) = restored.raise_for_outcome().outcome.resources  # type: ignore[union-attr]
    assert cloud.read_content(made.id) == b"flavor"
    runner.verify("far", copy).result(60).raise_for_outcome()
    runner.delete("far", copy).result(60).raise_for_outcome()
    assert [each.id for each in store.backups()] == [backup.id]


def test_a_copy_can_be_copied(runner: Runner, store: Store, backup: Backup) -> None:
    copy = store.backup(runner.copy("far", backup).result(60).id)
    back = store.backup(runner.copy("near", copy).result(60).raise_for_outcome().id)
    assert (back.copy_of, back.scope) == (copy.id, backup.scope)


def test_a_copy_survives_its_document(runner: Runner, store: Store, backup: Backup) -> None:
    copy = store.backup(runner.copy("far", backup).result(60).id)
    document = to_document(copy)
    assert document["copy_of"] == backup.id
    assert from_document(Backup, document) == copy
    del document["copy_of"]
    assert from_document(Backup, document) == attrs.evolve(copy, copy_of="")


def test_the_first_backup_is_held_while_it_is_copied(runner: Runner, backup: Backup) -> None:
    driver = Driver(runner.store, runner.backends, Lifecycle(), system_clock)
    copying = driver.step(driver.add(plan_copy(runner.backends["far"], backup)))
    deleting = driver.step(driver.add(plan_delete(runner.backends["near"], backup)))
    assert (copying.state, deleting.state) == (State.SUBMITTING, State.PLANNED)
    assert copying.id in deleting.retry.last_error


def test_a_copy_that_was_planned_long_ago_is_submitted(runner: Runner, backup: Backup) -> None:
    planned = plan_copy(runner.backends["far"], backup)
    assert (planned.verb, planned.backup, planned.scope) == (Verb.COPY, backup, "fake:here/far")
    assert runner.submit(planned).result(60).succeeded


def test_a_backup_is_not_copied_to_where_it_is(runner: Runner, backup: Backup) -> None:
    done = runner.copy("near", backup).result(60)
    assert done.outcome is not None
    assert done.outcome.refused
    assert "is in fake:here already" in done.outcome.reason


def test_what_cannot_be_copied_is_refused(runner: Runner, backup: Backup) -> None:
    far = runner.backends["far"]
    with pytest.raises(InvalidInput, match="is a member and cannot be copied alone: copy the who"):
        plan_copy(far, backup.members[0])
    with pytest.raises(WrongBackend, match="name a backend of the right kind"):
        plan_copy(far, attrs.evolve(backup, backend="other"))
    with pytest.raises(InvalidInput, match=r"copy takes a backup \(a Backup\), not a Resource"):
        plan_copy(far, SERVER)  # type: ignore[arg-type]
    with pytest.raises(InvalidDocument, match="options for copy"):
        plan_copy(far, backup, {"no_such": 1})
    with pytest.raises(Unsupported, match="does not declare copy for Nobody::Does"):
        plan_copy(far, attrs.evolve(backup, resource=Resource("Nobody::Does", "x")))
    with pytest.raises(InvalidInput, match="is not the id of an operation"):
        plan_copy(far, attrs.evolve(backup, copy_of="../x"))


def test_a_backend_that_declares_copy_needs_its_hook() -> None:
    class Declares(FakeBackend):
        copy = None

    with pytest.raises(ContractViolation, match="declares copy: implement the hook copy"):
        Backend.from_plugin("mine", Declares({}))


def test_a_copy_without_a_handle_breaks_the_contract(cloud: FakeCloud, backup: Backup) -> None:
    class Forgets(FakeBackend):
        @hookimpl
        def copy(self) -> Progress:
            return Progress(ProgressState.SUCCEEDED)

    far = Backend.from_plugin("far", Forgets({"vault": "far"}, cloud=cloud))
    with pytest.raises(ContractViolation, match="succeeded without a handle"):
        far.call_verb(plan_copy(far, backup))
