"""Restores of directories that would destroy, and backups of what they lie in: refused."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from karbor_backup_core import Resource, Result, Verb
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
)
from tests.support.outcomes import get_outcome

DIRECTORY = "Freezer::FileSystem::Directory"


@contextlib.contextmanager
def _mounted(*arguments: str | Path) -> Iterator[None]:
    target = str(arguments[-1])
    subprocess.run(["mount", *map(str, arguments)], check=True)  # noqa: S607
    try:
        yield
    finally:
        subprocess.run(["umount", "--recursive", target], check=True)  # noqa: S607


def _assert_refused(harness: FreezerHarness, backup: Any, **options: Any) -> str:
    """Insist that a restore is refused before there is a job."""
    runner = harness.runner()
    jobs = set(harness.left_in_freezer()["jobs"])
    asked = {"restore_name": "again", "overwrite": True, **options}
    operation = run_operation(runner, Verb.RESTORE, backup, asked)
    assert get_outcome(operation).result is Result.FAILED
    assert get_outcome(operation).refused
    assert set(harness.left_in_freezer()["jobs"]) == jobs
    reason: str = get_outcome(operation).reason
    return reason


@pytest.mark.root
@pytest.mark.parametrize("kind", ["before the protect", "since the protect", "bind", "blank"])
def test_mount_below_the_target_survives_a_restore(harness: FreezerHarness, kind: str) -> None:
    tree = harness.tree()
    inner = tree / ("in ner" if kind == "blank" else "inner")
    inner.mkdir()
    source: list[str | Path] = ["-t", "tmpfs", "tmpfs"]
    if kind == "bind":
        elsewhere = harness.tree("elsewhere")
        source = ["--bind", elsewhere]
    runner = harness.runner()
    if kind == "since the protect":
        backup = protect_directory(runner, tree)
    with _mounted(*source, inner):
        (inner / "precious").write_text("precious")
        if kind != "since the protect":
            backup = protect_directory(runner, tree)
        named = [c.reason for c in backup.checks if c.name == "mounted file systems"]
        assert bool(named) == (kind in ("before the protect", "blank"))
        assert str(inner) in _assert_refused(harness, backup)
        link = harness.folder / "link"
        link.symlink_to(tree)
        assert str(inner) in _assert_refused(harness, backup, restore_path=str(link))
        assert (inner / "precious").read_text() == "precious"
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


@pytest.mark.root
def test_mount_point_is_overwritten_only_if_protected_as_one(
    harness: FreezerHarness,
) -> None:
    tree = harness.tree()
    runner = harness.runner()
    before = protect_directory(runner, tree)
    with _mounted("-t", "tmpfs", "tmpfs", tree):
        (tree / "precious").write_text("precious")
        assert "is a mount point" in _assert_refused(harness, before)
        mounted = protect_directory(runner, tree)
        (tree / "stray").touch()
        options = {"restore_name": "again", "overwrite": True}
        assert_succeeded(run_operation(runner, Verb.RESTORE, mounted, options))
        assert sorted(p.name for p in tree.iterdir()) == ["precious"]
    for backup in (before, mounted):
        assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def test_restore_refuses_storages_parents_and_the_agents_folders(harness: FreezerHarness) -> None:
    tree = harness.tree()
    runner = harness.runner()
    backup = protect_directory(runner, tree)
    home = harness.storage.parent
    link = harness.folder / "link"
    link.symlink_to(harness.storage)
    for path in (harness.storage, harness.storage / harness.top, link, f"{link}/{harness.top}"):
        assert "the folder of storage 'disk'" in _assert_refused(
            harness, backup, restore_path=str(path)
        )
    for path in ("/", "/etc", "/home"):
        assert "a system folder" in _assert_refused(harness, backup, restore_path=path)
    for path in ("//", "/.", "/srv/.."):
        assert "give the path without" in _assert_refused(harness, backup, restore_path=path)
    assert "holds what was protected" in _assert_refused(
        harness, backup, restore_path=str(tree.parent)
    )
    scheduler = harness.sandbox.scheduler_home("node1")
    for path in (scheduler, scheduler / "jobs", scheduler.parent):
        reason = _assert_refused(harness, backup, restore_path=str(path))
        assert "the scheduler's" in reason or "the agent's" in reason
    assert "holds the folder of storage" in _assert_refused(harness, backup, restore_path=str(home))
    assert "is not empty" in _assert_refused(harness, backup, overwrite=False)
    assert_succeeded(run_operation(runner, Verb.VERIFY, backup))
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def test_directory_that_contains_its_storage_is_refused(harness: FreezerHarness) -> None:
    tree = harness.tree()
    inside = tree / "backups"
    inside.mkdir()
    link = harness.folder / "link"
    link.symlink_to(inside)
    for path in (inside, link, f"{tree}/../{tree.name}/backups"):
        runner = harness.runner(storages={"disk": {"kind": "local", "path": str(path)}})
        operation = run_operation(
            runner, Verb.PROTECT, Resource(DIRECTORY, str(tree)), {"backup_name": "nightly"}
        )
        assert get_outcome(operation).refused
        assert (
            "a backup must not be in the directory that it protects"
            in get_outcome(operation).reason
        )
    assert not list(inside.iterdir())
