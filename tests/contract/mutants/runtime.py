"""Backends that take more of their process than is theirs."""

import socket
import threading
import time
from typing import Any

from karbor_backup_core import Operation, Progress, hookimpl
from karbor_backup_fake import FakeBackend
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
