"""Operations on a real repository, and what they have left."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import attrs
import psutil

from karbor_backup_contract import Fault
from karbor_backup_core import (
    Backup,
    MemoryStore,
    Operation,
    OperationFuture,
    Policy,
    Resource,
    Result,
    Runner,
    Store,
    Verb,
)
from karbor_backup_restic import DIRECTORY
from tests.support.restic_harness import ResticHarness
from tests.support.waiting import LONG, wait_until

POLICY: Final = Policy(
    poll_first=timedelta(milliseconds=20),
    poll_limit=timedelta(milliseconds=200),
    unknown_gap=timedelta(milliseconds=100),
    retry_first=timedelta(milliseconds=50),
    retry_limit=timedelta(milliseconds=200),
)
ENDLESS: Final = 2**40
"""The size of a file that no machine reads before a test is over."""


@attrs.frozen
class ResticRunner:
    """A runner over one backend.

    Attributes:
        harness: the repository.
        store: keeps the operations.
        runner: drives them.
        changes: every stored version of every operation.
    """

    harness: ResticHarness
    store: Store
    runner: Runner
    changes: list[Operation]

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, harness: ResticHarness, store: Store | None = None, **configuration: Any
    ) -> Iterator["ResticRunner"]:
        """Open a runner on a repository."""
        store, changes = store or MemoryStore(), list[Operation]()
        backends = {"restic": harness.backend(**configuration)}
        with Runner(store, backends, policy=POLICY, on_change=changes.append) as runner:
            yield cls(harness, store, runner, changes)

    def begin(self, verb: Verb, target: Resource | Backup, **options: Any) -> str:
        """Start an operation; return its id."""
        submit: Callable[..., OperationFuture] = getattr(self.runner, verb)
        return submit("restic", target, options).id

    def begin_stalled(self, begin: Callable[[], str]) -> str:
        """Start an operation whose restic stands still in its work; return its id.

        Args:
            begin: starts it.
        """
        self.harness.faults[Fault.STALL]()
        operation_id = begin()
        wait_until(self.stalled_processes)
        return operation_id

    def wait(self, operation_id: str) -> Operation:
        """Return an operation that is over."""
        return self.runner.wait(operation_id, timeout=LONG)

    def run(self, verb: Verb, target: Resource | Backup, **options: Any) -> Operation:
        """Run an operation to its end."""
        return self.wait(self.begin(verb, target, **options))

    def succeed(self, verb: Verb, target: Resource | Backup, **options: Any) -> Operation:
        """Run an operation that must succeed."""
        operation = self.run(verb, target, **options)
        assert operation.outcome is not None
        assert operation.outcome.result is Result.SUCCEEDED, operation.outcome
        return operation

    def protect(self, resource: Resource, **options: Any) -> Backup:
        """Protect a resource."""
        return self.store.backup(self.succeed(Verb.PROTECT, resource, **options).id)

    def fail(self, verb: Verb, target: Resource | Backup, **options: Any) -> str:
        """Run an operation that must fail; return the reason."""
        return failure(self.run(verb, target, **options))

    def directory(self, name: str = "my files") -> Resource:
        """Make a directory with a file in it."""
        path = self.harness.folder / name
        path.mkdir()
        (path / "letter").write_text("Dear reader")
        (path / "id").write_text(name)
        return Resource(DIRECTORY, str(path), name)

    def snapshots(self) -> list[Mapping[str, Any]]:
        """Return all snapshots in the repository."""
        return list(json.loads(self.harness.restic("snapshots", "--json", "--no-lock")) or [])

    def assert_nothing_left(self) -> None:
        """Assert that no job, lock, snapshot or process is left."""
        assert self.harness.processes() == []
        assert self.harness.inventory().bookkeeping == frozenset()
        assert self.snapshots() == []

    def restic_processes(self) -> list[psutil.Process]:
        """Return the processes of restic that work in jobs."""
        return self.harness.restic_processes()

    def stalled_processes(self) -> list[psutil.Process]:
        """Return the processes that stand still in restic's place after ``Fault.STALL``."""
        found = []
        for process in self.restic_processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.name() == "sleep":
                    found.append(process)
        return found

    def supervisors(self) -> list[psutil.Process]:
        """Return the supervisors of jobs."""
        return self.harness.supervisors()


def failure(operation: Operation) -> str:
    """Return why an operation failed; it must have."""
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED, operation.outcome
    return operation.outcome.reason


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs; one that has ended may be there until its parent asks."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def write_configuration(harness: ResticHarness, **configuration: Any) -> Path:
    """Write the command's configuration file, with a store of its own; return its path."""
    settings = "\n".join(
        f"{key} = {json.dumps(value).replace(': ', ' = ')}"
        for key, value in harness.configuration(**configuration).items()
    )
    path = harness.folder / "config.toml"
    store = f'[store]\nurl = "sqlite:///{harness.folder / "store.db"}"\n'
    path.write_text(f"{store}[backends.restic]\n{settings}\n")
    return path


def start_command(configuration: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start ``karbor-backup`` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "karbor_backup_cli", "--config", str(configuration), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def make_big(path: Path, size: int = ENDLESS) -> None:
    """Make a file that takes restic long to read, and no space: zeros."""
    with path.open("wb") as file:
        file.truncate(size)
