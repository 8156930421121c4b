"""Directories on local storage: there and back, and gone."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

from karbor_backup_core import Resource, Result, State, Verb
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
    wait_finished,
)
from tests.support.fault_proxy import FaultProxy
from tests.support.outcomes import get_outcome
from tests.support.schedulers import CLOUD, silent_scheduler

DIRECTORY = "Freezer::FileSystem::Directory"


def _read_tree(tree: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every entry of a tree: its mode, and its content or where its link leads."""
    entries: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(tree.rglob("*")):
        name = str(path.relative_to(tree))
        mode = path.lstat().st_mode
        if path.is_symlink():
            entries[name] = (mode, str(path.readlink()))
        else:
            entries[name] = (mode, path.read_bytes() if path.is_file() else b"")
    return entries


RESTORED = "restored contents"


def _make_odd_tree(tree: Path) -> None:
    tree.mkdir()
    (tree / "with blank and 'quote'").write_bytes(b"x")
    (tree / "ünïcode %s {x}").mkdir()
    (tree / "ünïcode %s {x}" / "binary").write_bytes(bytes(range(256)) * 64)
    (tree / "empty").touch(mode=0o600)
    (tree / "empty folder").mkdir(mode=0o750)
    (tree / "link").symlink_to("empty")
    (tree / "dangling").symlink_to("nowhere")
    os.link(tree / "empty", tree / "hard link")
    (tree / "program").write_bytes(b"#!/bin/sh\n")
    (tree / "program").chmod(0o755)


def test_directory_is_restored_byte_for_byte_and_deleted_without_a_trace(
    clean_harness: FreezerHarness,
) -> None:
    tree = clean_harness.folder / "data"
    _make_odd_tree(tree)
    before = _read_tree(tree)
    runner = clean_harness.runner()
    backup = protect_directory(runner, tree, backup_name="nightly 100%", description="what it is")

    verified = run_operation(runner, Verb.VERIFY, backup)
    assert_succeeded(verified)
    assert {c.name: c.verified for c in get_outcome(verified).checks} == {
        "record exists": True,
        "record matches": True,
        "stored data": True,
        "directory's contents": True,
        "restorable data": False,
    }

    shutil.rmtree(tree / "ünïcode %s {x}")
    (tree / "program").write_bytes(b"damaged")
    (tree / "stray").write_bytes(b"not in the backup")
    in_place = runner.restore("freezer", backup, {"restore_name": "again", "overwrite": True})
    assert_succeeded(wait_finished(runner, in_place))
    assert _read_tree(tree) == before

    beside = clean_harness.folder / "beside"
    restored = run_operation(
        runner, Verb.RESTORE, backup, {"restore_name": "copy", "restore_path": str(beside)}
    )
    assert_succeeded(restored)
    assert _read_tree(beside) == before
    assert get_outcome(restored).resources == (Resource(DIRECTORY, str(beside), "copy"),)
    assert [(c.verified, c.reason) for c in get_outcome(restored).checks if c.name == RESTORED] == [
        (True, "")
    ]

    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def test_a_backup_restores_from_its_document_alone(clean_harness: FreezerHarness) -> None:
    from karbor_backup_core import Backup
    from karbor_backup_core.documents import from_document, to_document

    tree = clean_harness.tree()
    backup = protect_directory(clean_harness.runner(), tree)
    document = to_document(backup)
    shutil.rmtree(tree)

    elsewhere = clean_harness.runner()
    same = from_document(Backup, document)
    assert_succeeded(run_operation(elsewhere, Verb.RESTORE, same, {"restore_name": "data"}))
    assert (tree / "file").read_bytes() == b"content"
    assert_succeeded(run_operation(elsewhere, Verb.DELETE, same))
    # What is gone already can be deleted once more.
    assert_succeeded(run_operation(elsewhere, Verb.DELETE, same))
    gone = run_operation(elsewhere, Verb.VERIFY, same)
    assert get_outcome(gone).result is Result.FAILED
    assert "has no record" in get_outcome(gone).reason


def test_delete_of_one_backup_keeps_the_other(clean_harness: FreezerHarness) -> None:
    runner = clean_harness.runner()
    trees = [clean_harness.tree("first", b"old"), clean_harness.tree("second", b"old")]
    pairs = []
    for tree in trees:
        older = protect_directory(runner, tree)
        (tree / "file").write_bytes(b"new")
        pairs.append((older, protect_directory(runner, tree)))
    (first_old, first_new), (second_old, second_new) = pairs

    begun = [runner.delete("freezer", b, {}) for b in (first_old, second_new)]
    for operation in begun:
        assert_succeeded(wait_finished(runner, operation))

    kept = ((first_new, trees[0], b"new"), (second_old, trees[1], b"old"))
    options = {"restore_name": "data", "overwrite": True}
    begun = [runner.restore("freezer", backup, options) for backup, _, _ in kept]
    for operation, (_, tree, content) in zip(begun, kept, strict=True):
        assert_succeeded(wait_finished(runner, operation))
        assert (tree / "file").read_bytes() == content
    begun = [runner.delete("freezer", backup, {}) for backup, _, _ in kept]
    for operation in begun:
        assert_succeeded(wait_finished(runner, operation))


def test_missing_directory_starts_no_job(
    clean_harness: FreezerHarness, fault_proxy: FaultProxy
) -> None:
    runner = clean_harness.runner(endpoint=fault_proxy.url)
    gone = Resource(DIRECTORY, str(clean_harness.folder / "nowhere"))
    operation = run_operation(runner, Verb.PROTECT, gone, {"backup_name": "nightly"})
    assert operation.state is State.RELEASED
    assert get_outcome(operation).result is Result.FAILED
    assert "does not exist on this host" in get_outcome(operation).reason
    assert not [r for r in fault_proxy.requests if r.method != "GET"]


def test_failed_job_names_the_log_with_the_reason(clean_harness: FreezerHarness) -> None:
    tree = clean_harness.tree()
    runner = clean_harness.runner()
    backup = protect_directory(runner, tree)
    for stored in (clean_harness.storage / clean_harness.top).rglob("*"):
        if stored.is_file() and stored.suffix != ".meta":
            stored.write_bytes(b"damaged")
    target = str(clean_harness.folder / "again")
    options = {"restore_name": "data", "restore_path": target}
    failed = run_operation(runner, Verb.RESTORE, backup, options)
    assert failed.state is State.RELEASED
    assert get_outcome(failed).result is Result.FAILED
    assert "result 'fail'" in get_outcome(failed).reason
    assert "needs the option 'overwrite'" not in get_outcome(failed).reason
    assert [leftover.id for leftover in get_outcome(failed).leftovers] == [target]
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def test_unclaimed_job_ends_at_its_deadline(clean_harness: FreezerHarness) -> None:
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    options = {"backup_name": "nightly"}
    with silent_scheduler(clean_harness.client(CLOUD), clean_harness.top) as scheduler:
        runner = clean_harness.runner(cloud=CLOUD, scheduler=scheduler)
        deadline = timedelta(seconds=3)
        late = run_operation(runner, Verb.PROTECT, target, options, deadline=deadline)
    assert late.state is State.RELEASED
    assert get_outcome(late).result is Result.FAILED
    assert "deadline" in get_outcome(late).reason
    assert get_outcome(late).leftovers == ()
    assert clean_harness.left_in_freezer(CLOUD) == {"jobs": [], "actions": [], "backups": []}
