"""Backends that take more of their process than is theirs."""

import contextlib
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

from karbor_backup_core import KarborBackupError, Operation, Progress, hookimpl
from karbor_backup_fake import FakeBackend, FakeCloud
from tests.contract.mutants.registry import breaks


@breaks("C-921")
class LeaksThreads(FakeBackend):
    """Leaves a thread behind for each delete."""

    over = threading.Event()

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        if operation.phase == 1 and operation.attempt == 1:
            threading.Thread(target=self.over.wait, daemon=True).start()
        return super().delete(operation)


@breaks("C-922")
class LeaksSockets(FakeBackend):
    """Leaves a connection open for each delete."""

    opened: list[socket.socket] = []  # noqa: RUF012 - shared on purpose: it outlives the objects

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        self.opened.extend(socket.socketpair())
        return super().delete(operation)


@breaks("C-923")
class KeepsOperationInObject(FakeBackend):
    """Keeps the operation that it works on in itself."""

    def __init__(self, configuration: Any, **extra: Any) -> None:
        super().__init__(configuration, **extra)
        self._current: Operation | None = None

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        self._current = operation
        for _ in range(20):
            time.sleep(0)  # let another thread in
        return super().protect(self._current)


@breaks("C-924")
class SetsEnvironment(FakeBackend):
    """Leaves a variable in the environment."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        os.environ["CONTRACT_CANARY"] = operation.id
        return super().delete(operation)


@breaks("C-924")
class ChangesUmask(FakeBackend):
    """Sets the umask for what it writes, and leaves it."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        os.umask((os.umask(0) + 1) % 0o100)  # another one each time
        return super().delete(operation)


@breaks("C-924")
class LeavesTemporaryFiles(FakeBackend):
    """Writes a temporary file for each delete, and forgets it."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        descriptor, _ = tempfile.mkstemp()
        os.close(descriptor)
        return super().delete(operation)


@breaks("C-924")
class LeavesChildren(FakeBackend):
    """Starts a program for each delete, and never looks at it again."""

    started: list[int] = []  # noqa: RUF012 - shared on purpose: it outlives the objects

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        self.started.append(os.posix_spawn("/bin/true", ["true"], os.environ))
        return super().delete(operation)


@breaks("C-921")
class LeaksThreadsWhenRefused(FakeBackend):
    """Leaves a thread behind when the service refuses a request."""

    @contextlib.contextmanager
    def _connect(self) -> Iterator[FakeCloud]:
        try:
            with super()._connect() as cloud:
                yield cloud
        except KarborBackupError:
            threading.Thread(target=LeaksThreads.over.wait, daemon=True).start()
            raise


@breaks("C-924")
class LeavesFilesOfCancels(FakeBackend):
    """Writes a temporary file for each cancel, and forgets it."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        descriptor, _ = tempfile.mkstemp()
        os.close(descriptor)
        return super().cancel(operation)


@breaks("C-923")
class ReleasesFromObject(FakeBackend):
    """Keeps the operation that it releases in itself."""

    _releasing: Operation | None = None

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        self._releasing = operation
        for _ in range(20):
            time.sleep(0)  # let another thread in
        return super().release(self._releasing)


@breaks("C-925")
class HopesForShortWork(FakeBackend):
    """Sleeps for a while after it has begun a verify, which may be short."""

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        progress = super().verify(operation)
        time.sleep(1)
        return progress
