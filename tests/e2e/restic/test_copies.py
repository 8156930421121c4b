"""Copies between two real repositories, each with a password of its own."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from karbor_backup_core import (
    Backend,
    Backup,
    InvalidInput,
    MemoryStore,
    Operation,
    Result,
    Runner,
    Unsupported,
    Verb,
    plan_copy,
)
from karbor_backup_core.documents import to_document
from karbor_backup_restic import ResticBackend
from tests.e2e.restic.operations import POLICY, ResticRunner, failure
from tests.support.restic_harness import PASSWORD, ResticHarness
from tests.support.restic_key import make_key_cheap
from tests.support.waiting import wait_until

SOURCE_PASSWORD: Final = "canary-of-the-other-repository-s-password"  # noqa: S105 - for the tests
DIES_BEFORE_TAG: Final = '"$RESTIC" "$@"; kill -9 $$'
"""restic copies, and is killed before the copy gets its own tags."""


@pytest.fixture
def both(restic: ResticHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResticRunner]:
    """Open a runner whose backend "near" protects, and whose backend "restic" copies from there."""
    monkeypatch.setenv("TEST_SOURCE_PASSWORD", SOURCE_PASSWORD)
    password = {"env": "TEST_SOURCE_PASSWORD"}
    repository = str(restic.source_repository)
    restic.restic("init", "--repo", repository, password=SOURCE_PASSWORD)
    make_key_cheap(restic.source_repository, SOURCE_PASSWORD)
    near = restic.configuration(repository=repository, password=password)
    sources = {"near": {"repository": repository, "password": password}}
    backends = [Backend.load("near", ResticBackend, near), restic.backend(sources=sources)]
    store, changes = MemoryStore(), list[Operation]()
    with Runner(store, backends, policy=POLICY, on_change=changes.append) as runner:
        yield ResticRunner(restic, store, runner, changes)


@pytest.fixture
def first(both: ResticRunner) -> Backup:
    """Protect a directory in the first repository."""
    done = both.runner.protect("near", both.directory()).result(240)
    return both.store.backup(done.raise_for_outcome().id)


def test_copy_is_restored_when_the_first_repository_is_gone(
    both: ResticRunner, first: Backup
) -> None:
    copy = both.store.backup(both.succeed(Verb.COPY, first).id)
    assert copy.copy_of == first.id
    assert copy.scope != first.scope
    (snapshot,) = both.snapshots()
    assert set(snapshot["tags"]) == {"karbor-backup", copy.id}
    assert snapshot["original"] == first.handle["snapshot"]
    both.harness.lose_source()
    target = both.harness.folder / "restored"
    both.succeed(Verb.RESTORE, copy, path=str(target))
    assert (target / "letter").read_text() == "Dear reader"
    both.succeed(Verb.VERIFY, copy)
    both.succeed(Verb.DELETE, copy)
    both.assert_nothing_left()


def test_copy_keeps_a_prune_of_either_repository_out(both: ResticRunner, first: Backup) -> None:
    planned = both.runner.plan("restic", Verb.COPY, first)
    used = {each.name: each.exclusive for each in planned.shared_resources}
    assert used == {first.scope: False, planned.scope: False}
    assert len(used) == 2


def test_copy_can_be_copied_back(both: ResticRunner, first: Backup) -> None:
    copy = both.store.backup(both.succeed(Verb.COPY, first).id)
    back = both.harness.configuration(
        repository=str(both.harness.source_repository),
        password={"env": "TEST_SOURCE_PASSWORD"},
        sources={
            "far": {
                "repository": str(both.harness.repository),
                "password": {"env": both.harness.variable},
            }
        },
    )
    backend = Backend.load("near", ResticBackend, back)
    with Runner(both.store, [backend], policy=POLICY) as runner:
        again = runner.copy("near", copy).result(240).raise_for_outcome()
        assert both.store.backup(again.id).copy_of == copy.id
        for backup_id in (first.id, again.id):
            target = str(both.harness.folder / backup_id)
            options = {"path": target}
            backup = both.store.backup(backup_id)
            runner.restore("near", backup, options).result(240).raise_for_outcome()
            assert Path(target, "letter").read_text() == "Dear reader"


def test_restic_killed_before_the_copy_has_its_tags_leaves_nothing(
    both: ResticRunner, first: Backup
) -> None:
    both.harness.plan_fault("DIES", "work", DIES_BEFORE_TAG)
    assert "SIGKILL" in failure(both.run(Verb.COPY, first))
    both.assert_nothing_left()
    both.succeed(Verb.COPY, first)
    assert len(both.snapshots()) == 1


def test_copy_waits_for_a_repository_that_others_use_and_is_not_doubled(
    both: ResticRunner, first: Backup
) -> None:
    with both.harness.hold_repository():
        operation_id = both.begin(Verb.COPY, first)
        waiting = wait_until(lambda: both.store.operation(operation_id).retry.last_error)
        assert "waits for the repository" in waiting
        wait_until(lambda: both.store.operation(operation_id).phase > 1)
    assert both.wait(operation_id).result is Result.SUCCEEDED
    tagged = [each for each in both.snapshots() if operation_id in each["tags"]]
    assert len(tagged) == 1
    assert len(both.snapshots()) == 2  # the other one is that of who used the repository


def test_copy_that_another_program_made_is_neither_taken_nor_removed(
    both: ResticRunner, first: Backup
) -> None:
    harness = both.harness
    harness.restic(
        *("copy", "--from-repo", str(harness.source_repository), first.handle["snapshot"]),
        from_password=SOURCE_PASSWORD,
    )
    theirs = both.snapshots()
    assert "was copied to this repository by another program" in both.fail(Verb.COPY, first)
    assert both.snapshots() == theirs


def test_both_passwords_are_seen_by_restic_alone(
    both: ResticRunner, first: Backup, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    operation_id = both.begin_stalled(lambda: both.begin(Verb.COPY, first))
    secrets = (PASSWORD.encode(), SOURCE_PASSWORD.encode())
    for process in both.harness.processes():
        shown = "\0".join([*process.cmdline(), *map(str, process.environ().items())]).encode()
        assert not any(secret in shown for secret in secrets)
    for path in both.harness.folder.rglob("*"):
        assert not path.is_file() or not any(each in path.read_bytes() for each in secrets), path
    both.runner.cancel(operation_id)
    assert both.wait(operation_id).result is Result.CANCELLED
    both.succeed(Verb.COPY, first)
    texts = [json.dumps([to_document(each) for each in both.changes]), caplog.text]
    assert not any(secret.decode() in text for secret in secrets for text in texts)


def test_first_repository_is_only_read(both: ResticRunner, first: Backup) -> None:
    before = {path: path.stat().st_mtime_ns for path in both.harness.source_repository.rglob("*")}
    both.succeed(Verb.COPY, first)
    after = {path: path.stat().st_mtime_ns for path in both.harness.source_repository.rglob("*")}
    assert after == before


def test_repository_that_the_configuration_does_not_name_is_refused(
    both: ResticRunner, first: Backup, restic: ResticHarness
) -> None:
    own = both.store.backup(both.succeed(Verb.COPY, first).id)
    assert "is in this repository already" in both.fail(Verb.COPY, own)
    with pytest.raises(Unsupported, match="names no repository under 'sources' to copy from"):
        plan_copy(restic.backend(), first)
    elsewhere = {"other": {**restic.sources()["near"], "repository": str(restic.repository)}}
    with pytest.raises(InvalidInput, match=r"no repository under 'sources' is that one \(.*other"):
        restic.backend(sources=elsewhere).call_verb(
            plan_copy(restic.backend(sources=elsewhere), first)
        )
    with pytest.raises(InvalidInput, match=r"sources\.other: restic: name the repository's passw"):
        restic.backend(sources={"other": {"repository": "/somewhere"}})
