"""Kinds of storage on the real agent: what the table says comes back does, and nothing else.

A kind that the table calls broken and that brings its data back has been mended: then the table
in ``compatibility.py`` and the one in ``docs/reference/freezer-support.md`` are to be changed.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import attrs
import pytest
from keystoneauth1.adapter import Adapter

from karbor_backup_core import Backup, Policy, Resource, Result, Runner, Verb
from karbor_backup_freezer.agent.compatibility import NEWEST_TESTED, restore_support
from karbor_backup_freezer.model.storages import StorageKind
from sandbox import Sandbox
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
)
from tests.support.outcomes import get_outcome
from tests.support.schedulers import CLOUD, own_scheduler

DIRECTORY = "Freezer::FileSystem::Directory"
NOTHING: dict[str, list[str]] = {"jobs": [], "actions": [], "backups": []}


@pytest.fixture
def scheduler(harness: FreezerHarness) -> Iterator[str]:
    """Yield a scheduler of the test's own, which ends an agent that loops for ever."""
    with own_scheduler(harness.sandbox, harness.top) as client_id:
        yield client_id


def _ssh(sandbox: Sandbox) -> dict[str, Any]:
    ssh = sandbox.ssh
    return {
        "kind": "ssh",
        "host": ssh.host,
        "port": ssh.port,
        "username": ssh.user,
        "key": str(ssh.key),
        "path": str(ssh.directory),
    }


def _swift(sandbox: Sandbox) -> dict[str, Any]:
    assert sandbox.swift
    return {"kind": "swift"}


def _s3(sandbox: Sandbox) -> dict[str, Any]:
    return {"kind": "s3", **attrs.asdict(sandbox.s3)}


def _ftp(sandbox: Sandbox) -> dict[str, Any]:
    ftp = sandbox.ftp
    login = {"username": ftp.user, "password": ftp.password}
    return {"kind": "ftp", "host": ftp.host, "port": ftp.port, "path": "/", **login}


def _ftps(sandbox: Sandbox) -> dict[str, Any]:
    return {**_ftp(sandbox), "kind": "ftps", "port": sandbox.ftp.tls_port}


SETTINGS: dict[StorageKind, Callable[[Any], dict[str, Any]]] = {
    StorageKind.SSH: _ssh,
    StorageKind.SWIFT: _swift,
    StorageKind.S3: _s3,
    StorageKind.FTP: _ftp,
    StorageKind.FTPS: _ftps,
}


def _configuration(harness: FreezerHarness, kind: StorageKind, scheduler: str) -> dict[str, Any]:
    return {
        "cloud": CLOUD,
        "scheduler": scheduler,
        "storages": {"it": SETTINGS[kind](harness.sandbox)},
    }


def _list_files(sandbox: Sandbox, kind: StorageKind, top: str) -> list[str]:
    """Return the files or objects that a top container holds."""
    if kind is StorageKind.SSH:
        return [str(p) for p in (sandbox.ssh.directory / top).rglob("*") if not p.is_dir()]
    swift = Adapter(sandbox.session(CLOUD), service_type="object-store")
    return [entry["name"] for entry in swift.get(f"/{top}", params={"format": "json"}).json()]


@pytest.mark.parametrize("kind", [StorageKind.SSH, StorageKind.SWIFT])
def test_directory_is_restored_and_its_backup_deleted(
    harness: FreezerHarness, scheduler: str, kind: StorageKind
) -> None:
    assert restore_support(NEWEST_TESTED, DIRECTORY, kind).restorable
    runner = harness.runner(**_configuration(harness, kind, scheduler))
    backup = protect_directory(runner, harness.tree(content=b"x" * 100_000))
    assert _list_files(harness.sandbox, kind, harness.top)
    copy = harness.folder / "copy"
    options = {"restore_name": "copy", "restore_path": str(copy)}
    assert_succeeded(run_operation(runner, Verb.RESTORE, backup, options))
    assert (copy / "file").read_bytes() == b"x" * 100_000
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
    assert harness.left_in_freezer(CLOUD) == NOTHING
    assert _list_files(harness.sandbox, kind, harness.top) == []


def _assert_restorable(harness: FreezerHarness, runner: Runner, backup: Backup) -> bool:
    copy = harness.folder / "copy"
    options = {"restore_name": "copy", "restore_path": str(copy)}
    deadline = timedelta(seconds=12)
    restored = run_operation(runner, Verb.RESTORE, backup, options, deadline=deadline)
    file = copy / "file"
    whole = file.exists() and file.read_bytes() == b"content"
    return whole and get_outcome(restored).result is Result.SUCCEEDED


@pytest.mark.parametrize("kind", [StorageKind.S3, StorageKind.FTP, StorageKind.FTPS])
def test_storage_kind_listed_as_broken_fails_to_restore(
    harness: FreezerHarness, scheduler: str, kind: StorageKind
) -> None:
    assert not restore_support(NEWEST_TESTED, DIRECTORY, kind).restorable
    impatient = Policy(
        poll_first=timedelta(seconds=0.5),
        poll_limit=timedelta(seconds=1),
        grace=timedelta(seconds=2),
        release=timedelta(seconds=60),
    )
    runner = harness.runner(impatient, **_configuration(harness, kind, scheduler))
    tree = Resource(DIRECTORY, str(harness.tree()))
    refused = run_operation(runner, Verb.PROTECT, tree, {"backup_name": "nightly"})
    assert "could not restore" in get_outcome(refused).reason

    options = {"backup_name": "nightly", "allow_unrestorable": True}
    protected = run_operation(runner, Verb.PROTECT, tree, options)
    backup = get_outcome(protected).backup
    mended = backup is not None and _assert_restorable(harness, runner, backup)
    assert not mended, f"freezer-agent brings directories back from {kind}: change the tables"
    if kind is StorageKind.S3:
        assert get_outcome(protected).leftovers or backup is not None
