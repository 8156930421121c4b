"""What the contract cannot ask of every backend: what is special about directories."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from karbor_backup_core import (
    Backend,
    Backup,
    MemoryStore,
    Operation,
    OperationFuture,
    Policy,
    Resource,
    Result,
    Runner,
    Transient,
    Verb,
)
from karbor_backup_process import Command

from karbor_backup_tar import TarBackend
from karbor_backup_tar.abilities import DIRECTORY
from karbor_backup_tar.backend import PACK


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    folder.mkdir()
    return folder


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def runner(vault: Path, store: MemoryStore) -> Iterator[Runner]:
    backend = Backend.load("tar", TarBackend, {"vault": str(vault)})
    policy = Policy(poll_first=timedelta(milliseconds=10))
    with Runner(store, {"tar": backend}, policy=policy) as new_runner:
        yield new_runner


@pytest.fixture
def directory(tmp_path: Path) -> Resource:
    folder = tmp_path / "a folder: with -- 'odd' names"
    (folder / "-rf").mkdir(parents=True)
    (folder / "-rf" / "line\nbreak").write_bytes(b"\x00\xff")
    (folder / "-rf").chmod(0o750)
    (folder / "link").symlink_to("nowhere")
    return Resource(DIRECTORY, str(folder))


def test_names_modes_and_links_come_back(
    runner: Runner, store: MemoryStore, directory: Resource
) -> None:
    backup = store.backup(_run_operation(runner, Verb.PROTECT, directory).id)
    operation = _run_operation(runner, Verb.RESTORE, backup)
    assert operation.outcome
    restored = Path(operation.outcome.resources[0].id)
    assert (restored / "-rf" / "line\nbreak").read_bytes() == b"\x00\xff"
    assert (restored / "-rf").stat().st_mode & 0o777 == 0o750
    assert (restored / "link").readlink() == Path("nowhere")


def test_a_restore_over_what_is_there_is_refused_and_spares_it(
    runner: Runner, store: MemoryStore, directory: Resource
) -> None:
    backup = store.backup(_run_operation(runner, Verb.PROTECT, directory).id)
    operation = _run_operation(runner, Verb.RESTORE, backup, path=directory.id)
    assert operation.outcome
    assert operation.outcome.refused
    assert "is there already" in operation.outcome.reason
    assert Path(directory.id, "link").is_symlink()


def test_a_damaged_archive_does_not_verify(
    runner: Runner, store: MemoryStore, directory: Resource, vault: Path
) -> None:
    backup = store.backup(_run_operation(runner, Verb.PROTECT, directory).id)
    (archive,) = vault.glob("archives/*")
    archive.write_bytes(archive.read_bytes()[:-9])
    operation = _run_operation(runner, Verb.VERIFY, backup)
    assert operation.outcome
    assert operation.outcome.result is Result.FAILED
    assert "unexpected end of file" in operation.outcome.reason


def test_a_late_pack_replaces_no_archive(tmp_path: Path) -> None:
    archive, half = tmp_path / "archive", tmp_path / "half"
    archive.write_bytes(b"whole")
    (tmp_path / "directory").mkdir()
    paths = {"archive": archive, "half": half, "directory": tmp_path / "directory"}
    variables = {"tar": "tar", **{name: str(path) for name, path in paths.items()}}
    done = Command(["/bin/sh", "-ec", PACK], {**os.environ, **variables}).run(timeout=60)
    assert done.exit_status == 0, done.errors
    assert archive.read_bytes() == b"whole"
    assert not half.exists()


def test_a_vault_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    backend = Backend.load("tar", TarBackend, {"vault": str(tmp_path / "unmounted")})
    assert not backend.health().ok
    operation = _plan_operation(tmp_path)
    with pytest.raises(Transient, match="make or mount it"):
        backend.poll([operation])


def _plan_operation(folder: Path) -> Operation:
    now = datetime.now(UTC)
    return Operation(
        id="one",
        verb=Verb.PROTECT,
        backend="tar",
        implementation="tar",
        scope="",
        resource=Resource(DIRECTORY, str(folder)),
        created_at=now,
        deadline=now,
    )


def _run_operation(
    runner: Runner, verb: Verb, target: Resource | Backup, **options: str
) -> Operation:
    submit: Mapping[Verb, Callable[..., OperationFuture]] = {
        Verb.PROTECT: runner.protect,
        Verb.RESTORE: runner.restore,
        Verb.DELETE: runner.delete,
        Verb.VERIFY: runner.verify,
    }
    return submit[verb]("tar", target, options, deadline=timedelta(minutes=1)).result()
