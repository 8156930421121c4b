"""Kinds of storage on the real agent: what the table says comes back does, and nothing else.

A kind that the table calls broken and that brings its data back has been mended: then the table
in ``restorable.py`` and the one in ``docs/freezer.md`` are to be changed.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import attrs
import pytest
from keystoneauth1.adapter import Adapter

from karbor_backup_core import Backup, Policy, Resource, Result, Verb
from karbor_backup_freezer.restorable import NEWEST, verdict
from karbor_backup_freezer.storages import Kind

DIRECTORY = "Freezer::FileSystem::Directory"
CLOUD = "other"
NOTHING: dict[str, list[str]] = {"jobs": [], "actions": [], "backups": []}


@pytest.fixture
def scheduler(bench: Any, kind: Kind) -> Iterator[str]:
    """A scheduler of its own, since an agent that loops for ever goes with it only."""
    name = f"storages-{kind}"
    server = bench.sandbox.add_scheduler(name, cloud=CLOUD)
    yield name
    bench.sandbox.stop(server)


def _ssh(sandbox: Any) -> dict[str, Any]:
    ssh = sandbox.ssh
    return {
        "kind": "ssh",
        "host": ssh.host,
        "port": ssh.port,
        "username": ssh.user,
        "key": str(ssh.key),
        "path": str(ssh.directory),
    }


def _swift(sandbox: Any) -> dict[str, Any]:
    assert sandbox.swift
    return {"kind": "swift"}


def _s3(sandbox: Any) -> dict[str, Any]:
    return {"kind": "s3", **attrs.asdict(sandbox.s3)}


def _ftp(sandbox: Any) -> dict[str, Any]:
    ftp = sandbox.ftp
    login = {"username": ftp.user, "password": ftp.password}
    return {"kind": "ftp", "host": ftp.host, "port": ftp.port, "path": "/", **login}


def _ftps(sandbox: Any) -> dict[str, Any]:
    return {**_ftp(sandbox), "kind": "ftps", "port": sandbox.ftp.tls_port}


SETTINGS: dict[Kind, Callable[[Any], dict[str, Any]]] = {
    Kind.SSH: _ssh,
    Kind.SWIFT: _swift,
    Kind.S3: _s3,
    Kind.FTP: _ftp,
    Kind.FTPS: _ftps,
}


def _configuration(bench: Any, kind: Kind, scheduler: str) -> dict[str, Any]:
    return {
        "cloud": CLOUD,
        "scheduler": scheduler,
        "storages": {"it": SETTINGS[kind](bench.sandbox)},
    }


def _files_at(sandbox: Any, kind: Kind, top: str) -> list[str]:
    """The files or objects that a top container holds."""
    if kind is Kind.SSH:
        return [str(p) for p in (sandbox.ssh.directory / top).rglob("*") if not p.is_dir()]
    swift = Adapter(sandbox.session(CLOUD), service_type="object-store")
    return [entry["name"] for entry in swift.get(f"/{top}", params={"format": "json"}).json()]


@pytest.mark.parametrize("kind", [Kind.SSH, Kind.SWIFT])
def test_a_directory_comes_back_and_goes(bench: Any, do: Any, scheduler: str, kind: Kind) -> None:
    assert verdict(NEWEST, DIRECTORY, kind).restorable
    runner = bench.runner(**_configuration(bench, kind, scheduler))
    backup = do.protect(runner, bench.tree(content=b"x" * 100_000))
    assert _files_at(bench.sandbox, kind, bench.top)
    copy = bench.folder / "copy"
    options = {"restore_name": "copy", "restore_path": str(copy)}
    do.succeeded(do.run(runner, Verb.RESTORE, backup, options))
    assert (copy / "file").read_bytes() == b"x" * 100_000
    do.succeeded(do.run(runner, Verb.DELETE, backup))
    assert bench.left_in_freezer(CLOUD) == NOTHING
    assert _files_at(bench.sandbox, kind, bench.top) == []


def _comes_back(bench: Any, do: Any, runner: Any, backup: Backup) -> bool:
    copy = bench.folder / "copy"
    options = {"restore_name": "copy", "restore_path": str(copy)}
    deadline = timedelta(seconds=12)
    restored = do.run(runner, Verb.RESTORE, backup, options, deadline=deadline)
    file = copy / "file"
    whole = file.exists() and file.read_bytes() == b"content"
    return whole and restored.outcome.result is Result.SUCCEEDED


@pytest.mark.parametrize("kind", [Kind.S3, Kind.FTP, Kind.FTPS])
def test_a_kind_that_the_table_calls_broken_still_is(
    bench: Any, do: Any, scheduler: str, kind: Kind
) -> None:
    assert not verdict(NEWEST, DIRECTORY, kind).restorable
    impatient = Policy(
        poll_first=timedelta(seconds=0.5),
        poll_limit=timedelta(seconds=1),
        grace=timedelta(seconds=2),
        release=timedelta(seconds=60),
    )
    runner = bench.runner(impatient, **_configuration(bench, kind, scheduler))
    tree = Resource(DIRECTORY, str(bench.tree()))
    refused = do.run(runner, Verb.PROTECT, tree, {"backup_name": "nightly"})
    assert "could not restore" in refused.outcome.reason

    options = {"backup_name": "nightly", "allow_unrestorable": True}
    protected = do.run(runner, Verb.PROTECT, tree, options)
    backup = protected.outcome.backup
    mended = backup is not None and _comes_back(bench, do, runner, backup)
    assert not mended, f"freezer-agent brings directories back from {kind}: change the tables"
    if kind is Kind.S3:
        assert protected.outcome.leftovers or backup is not None
