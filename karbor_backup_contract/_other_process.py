"""Another Python process with a backend in it, whose hooks are called from here."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import attrs

from karbor_backup_contract._sudden_death import SuddenDeathError
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import BackendFactory, Harness
from karbor_backup_core import BackendInfo, Backup, Health, Operation, Place, Progress, hookimpl

T = TypeVar("T")

_END_SECONDS: Final = 10.0
"""How long the other process has to end when nobody talks to it any more."""


@attrs.frozen
class Setup:
    """What the other process has to know before the first call.

    Attributes:
        path: where it finds modules.
        factory: what makes the backend.
    """

    path: Sequence[str]
    factory: BackendFactory


@attrs.frozen
class Request:
    """A call of a hook.

    Attributes:
        hook: its name.
        arguments: what it is called with.
        dies_at: the number of the effect behind which the process is killed; 0 for none.
    """

    hook: str
    arguments: Mapping[str, Any]
    dies_at: int = 0


@attrs.frozen
class Answer:
    """What came of a call.

    Attributes:
        value: what the hook answered.
        error: what it raised instead.
        died: whether the process was killed on the way.
    """

    value: Any = None
    error: BaseException | None = None
    died: bool = False


class OtherProcess:
    """Another process, until the end of its ``with`` block.

    It has been started anew, and so shares no module, no hash seed and no descriptor with this
    one. Its working directory, umask, time zone, locale, home and temporary directory are others.
    Each call is made in a fork of it, by a backend object of its own.

    Args:
        factory: what makes the backend there.
    """

    def __init__(self, factory: BackendFactory) -> None:
        self._factory = factory

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="contract-")
        self._connection, theirs = Pipe()
        with theirs:
            self._process = _start_worker(theirs, self._folder.name)
        path = [str(Path(entry or ".").resolve()) for entry in sys.path]
        self._connection.send(Setup(path, self._factory))
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._connection.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def call(self, hook: str, *, dies_at: int = 0, **arguments: Any) -> Any:
        """Call a hook there, and answer what it answers.

        Args:
            hook: its name.
            dies_at: the number of the effect behind which the process is killed; 0 for none.
            arguments: what it is called with.

        Raises:
            SuddenDeathError: the process was killed.
            RuleViolation: the backend cannot be made there.
            Exception: what the hook raised.
        """
        try:
            self._connection.send(Request(hook, arguments, dies_at))
            answer: Answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise RuleViolation(
                f"another process cannot make the backend by {self._factory.function}: its output "
                "says why"
            ) from error
        if answer.died:
            raise SuddenDeathError
        if answer.error is not None:
            raise answer.error
        return answer.value


def start_other_process(harness: Harness) -> OtherProcess:
    """Return another process that makes a harness's backend, to be begun by ``with``.

    Raises:
        RuleViolation: the harness does not say how.
    """
    if harness.backend_factory is None:
        raise RuleViolation("the harness has no backend_factory")
    return OtherProcess(harness.backend_factory)


def _start_worker(connection: Connection, folder: str) -> "subprocess.Popen[bytes]":
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "XDG_", "PYTEST_", "COV_"))
    }
    changed = {
        "HOME": folder,
        "LANG": "C",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "4711",
        "TMPDIR": folder,
        "TZ": "Pacific/Kiritimati",
    }
    return subprocess.Popen(  # noqa: S603 - our own program, with the number of a descriptor
        [sys.executable, "-m", "karbor_backup_contract._worker", str(connection.fileno())],
        cwd=folder,
        env={**kept, **changed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        pass_fds=[connection.fileno()],
        stdin=subprocess.DEVNULL,
        umask=0o007,
        start_new_session=True,
    )


@attrs.frozen
class RemoteBackend:
    """A backend whose hooks are called in another process.

    Attributes:
        process: the process.
    """

    process: OtherProcess

    @hookimpl
    def describe(self) -> BackendInfo:
        """Call the hook there."""
        return self._call(BackendInfo, "describe")

    @hookimpl
    def scope(self) -> str:
        """Call the hook there."""
        return self._call(str, "scope")

    @hookimpl
    def check(self) -> Health:
        """Call the hook there."""
        return self._call(Health, "check")

    @hookimpl
    def place(self) -> Place | None:
        """Call the hook there; a backend without it answers None."""
        return self._call(Place | None, "place")

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Call the hook there."""
        return self._call(Progress, "protect", operation=operation)

    @hookimpl
    def restore(self, operation: Operation, own_paths: Sequence[str]) -> Progress:
        """Call the hook there."""
        return self._call(Progress, "restore", operation=operation, own_paths=own_paths)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Call the hook there."""
        return self._call(Progress, "delete", operation=operation)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Call the hook there."""
        return self._call(Progress, "verify", operation=operation)

    @hookimpl
    def maintain(self, operation: Operation) -> Progress:
        """Call the hook there."""
        return self._call(Progress, "maintain", operation=operation)

    @hookimpl
    def copy(self, operation: Operation) -> Progress:
        """Call the hook there."""
        return self._call(Progress, "copy", operation=operation)

    @hookimpl
    def dependents(self, backup: Backup) -> Sequence[str]:
        """Call the hook there; of a backend without it there are none."""
        return self._call(tuple, "dependents", backup=backup) or ()

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Call the hook there."""
        return self._call(dict, "poll", operations=operations)

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Call the hook there."""
        return self._call(bool, "cancel", operation=operation)

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Call the hook there."""
        return self._call(Progress, "release", operation=operation)

    def _call(self, _kind: type[T] | Any, hook: str, **arguments: Any) -> T:
        # Whether the answer is of its kind is for the core to check, as it does everywhere.
        answer: T = self.process.call(hook, **arguments)
        return answer
