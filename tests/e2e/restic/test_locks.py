"""Dead locks of this host are removed, and no others; whose lock is waited for is told."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from karbor_backup_core import ProgressState, Transient, Verb, plan_protect
from karbor_backup_core.secrets import Secret
from karbor_backup_restic import FILE
from karbor_backup_restic._config import Configuration
from karbor_backup_restic._locks import Locks
from karbor_backup_restic._restic import Restic
from sandbox import Sandbox
from tests.e2e.restic.operations import ResticRunner
from tests.e2e.restic.test_storages import on_rest
from tests.support.restic_harness import PASSWORD, ResticHarness
from tests.support.restic_key import forge_lock
from tests.support.waiting import wait_until

HERE = os.uname().nodename

TALKATIVE_PRUNE = 'exec "$RESTIC" "$@" --quiet=false >"$FAULTS/../printed"'
"""A real prune, which says when it has its lock what it does next; nobody may read that."""


def locks_of(harness: ResticHarness, **changes: object) -> Locks:
    """Return the locks in a repository, read by the program itself."""
    document = {**harness.configuration(**changes), "password_command": ["echo", PASSWORD]}
    del document["password"]
    return Locks(Restic(Configuration.from_document(document)))


def forge(
    repository: Path,
    pid: int,
    *,
    host: str = HERE,
    age: timedelta = timedelta(0),
    exclusive: bool = False,
) -> str:
    """Make a lock as restic writes it; return its id."""
    document = {
        "time": (datetime.now(UTC) - age).isoformat(),
        "exclusive": exclusive,
        "hostname": host,
        "username": "somebody",
        "pid": pid,
    }
    return forge_lock(repository, PASSWORD, document)


@pytest.fixture
def gone() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


@attrs.frozen
class Served:
    """A repository behind a REST server.

    Attributes:
        directory: that the server keeps it in.
        locks: as the backend reaches them.
    """

    directory: Path
    locks: Locks


@pytest.fixture
def served(
    restic: ResticHarness, sandbox: Sandbox, empty_repository: Path, tmp_path: Path
) -> Served:
    """Put a repository where the backend cannot reach its files."""
    storage = on_rest(sandbox, empty_repository, tmp_path.name)
    directory = sandbox.part("rest").directory / tmp_path.name
    user = storage.settings["rest"]["user"]
    rest = {"user": user, "password": Secret(storage.secret)}
    return Served(directory, locks_of(restic, **{**storage.settings, "rest": rest}))


def test_dead_lock_of_this_host_is_removed_and_no_other(restic: ResticHarness, gone: int) -> None:
    dead = forge(restic.repository, gone)
    kept = {
        forge(restic.repository, os.getpid()),
        forge(restic.repository, gone, host="another.example"),
        forge(restic.repository, gone, host="another.example", age=timedelta(hours=2)),
    }
    locks = locks_of(restic)
    assert set(locks.ids()) == {dead, *kept}
    locks.remove_dead()
    assert set(locks.ids()) == kept


def test_dead_lock_behind_a_server_is_removed(served: Served, gone: int) -> None:
    forge(served.directory, gone)
    kept = forge(served.directory, gone, host="another.example")
    served.locks.remove_dead()
    assert served.locks.ids() == [kept]


def test_old_lock_of_another_host_behind_a_server_is_kept_and_named(
    served: Served, gone: int
) -> None:
    ids = {
        forge(served.directory, gone),
        forge(served.directory, 7, host="another.example", age=timedelta(minutes=65)),
    }
    with pytest.raises(Transient, match=r"PID 7 on another\.example, 1 h 5 min old: look whether"):
        served.locks.remove_dead()
    assert set(served.locks.ids()) == ids


def test_program_that_has_the_number_of_a_restic_is_not_hung_up(served: Served, gone: int) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as bystander:
        try:
            ids = {forge(served.directory, gone), forge(served.directory, bystander.pid)}
            with pytest.raises(Transient, match=f"would hang up python.* {bystander.pid} now"):
                served.locks.remove_dead()
            assert bystander.poll() is None
        finally:
            bystander.kill()
    assert set(served.locks.ids()) == ids
    served.locks.remove_dead()
    assert served.locks.ids() == []


@pytest.mark.parametrize(("age", "dead"), [(timedelta(days=400), True), (timedelta(0), False)])
def test_number_of_a_process_that_was_given_anew_is_known(
    restic: ResticHarness, age: timedelta, *, dead: bool
) -> None:
    forge(restic.repository, os.getpid(), age=age)
    locks = locks_of(restic)
    locks.remove_dead()
    assert (locks.ids() == []) == dead


def test_lock_that_is_none_is_left_alone(restic: ResticHarness) -> None:
    for document in ({}, {"pid": "1"}, {"time": "now", "pid": 1, "hostname": HERE}):
        forge_lock(restic.repository, PASSWORD, document)
    locks = locks_of(restic)
    locks.remove_dead()
    assert len(locks.ids()) == 3


def test_lock_of_another_host_is_waited_for_and_named(runner: ResticRunner) -> None:
    repository = runner.harness.repository
    lock = forge(repository, 7, host="another.example", age=timedelta(hours=2), exclusive=True)
    operation_id = runner.begin(Verb.PROTECT, runner.directory())
    waiting = wait_until(lambda: runner.store.operation(operation_id).retry.last_error)
    assert "locked exclusively by PID 7 on another.example" in waiting
    assert "see whether process 7 of another.example is gone" in waiting
    # The work is begun again, and again: the lock stays.
    wait_until(lambda: runner.store.operation(operation_id).phase > 3)
    assert (repository / "locks" / lock).exists()
    (repository / "locks" / lock).unlink()
    assert runner.wait(operation_id).succeeded


@pytest.mark.parametrize(("phase", "longest"), [(1, 1), (2, 2), (3, 4), (9, 30), (9999, 30)])
def test_locked_repository_is_tried_again_soon_and_then_less_often(
    restic: ResticHarness, phase: int, longest: int
) -> None:
    forge(restic.repository, 7, host="another.example", exclusive=True)
    backend = restic.backend()
    planned = plan_protect(backend, restic.resources.create(FILE, "letter", b"Dear reader"))
    operation = attrs.evolve(planned, phase=phase)
    backend.call_verb(operation)
    wait_until(lambda: backend.poll([operation])[operation.id].state is not ProgressState.RUNNING)
    path = restic.jobs / f"{operation.id}.{phase}" / "status.json"
    status = json.loads(path.read_text())

    def state_after(seconds: float) -> ProgressState:
        path.write_text(json.dumps({**status, "at": time.time() - seconds}))
        return backend.poll([operation])[operation.id].state

    assert state_after(longest) is ProgressState.READY
    assert state_after(-longest) is ProgressState.READY, "the clock was set back"
    # A slow machine looks later: only half a minute is long enough to be sure.
    assert longest < 30 or state_after(0) is ProgressState.QUEUED


def test_dead_lock_of_this_host_is_not_waited_for_long(runner: ResticRunner, gone: int) -> None:
    forge(runner.harness.repository, gone, exclusive=True)
    runner.protect(runner.directory())
    assert runner.harness.inventory().bookkeeping == frozenset()


@contextlib.contextmanager
def full_pipe(path: Path) -> Iterator[Callable[[], object]]:
    """Make a pipe that takes nothing more, so that who prints into it stands still.

    Yields:
        What empties it.
    """
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        size = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                size += os.write(pipe, bytes(select.PIPE_BUF))
        yield lambda: os.read(pipe, size)
    finally:
        os.close(pipe)


def test_protect_waits_for_a_prune_that_another_store_knows(runner: ResticRunner) -> None:
    harness = runner.harness
    harness.plan_fault("TALKS", "work", TALKATIVE_PRUNE)
    with (
        full_pipe(harness.folder / "printed") as let_go_on,
        ResticRunner.open(harness) as other,
    ):
        prune = other.runner.maintain("restic", "prune", {}).id
        wait_until(lambda: list(harness.repository.glob("locks/" + "[0-9a-f]" * 64)))
        protect = runner.begin(Verb.PROTECT, runner.directory())
        waiting = wait_until(lambda: runner.store.operation(protect).retry.last_error)
        assert "waits for the repository" in waiting
        assert "locked exclusively" in waiting
        assert runner.snapshots() == []
        let_go_on()
        assert other.wait(prune).succeeded
        assert runner.wait(protect).succeeded
    assert len(runner.snapshots()) == 1
