"""Archives that are read in the background, since reading one may take longer than a call may."""

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from pathlib import Path
from typing import IO, Any, Final

import attrs

from karbor_backup_freezer.stored.archive import UnreadArchive
from karbor_backup_freezer.stored.contents import Contents, look
from karbor_backup_freezer.stored.local import open_file

GRACE: Final = 0.5
"""Seconds that a call waits for a reading to end: most do, and need no further call."""

UNASKED: Final = 3600.0
"""Seconds after which a reading that nobody has asked about is given up."""

AT_ONCE: Final = 2
"""How many archives are read at a time; others wait."""


@attrs.frozen
class ReadProgress:
    """How far an archive has been read.

    Attributes:
        done: how many of its bytes were read.
        total: how many there are.
    """

    done: int
    total: int


class StillReading(Exception):
    """An archive has not been read to its end yet.

    Attributes:
        progress: how far it has been read.
    """

    def __init__(self, progress: ReadProgress) -> None:
        super().__init__(f"{progress.done} of {progress.total} bytes of the archive were read")
        self.progress = progress


@attrs.define(eq=False)
class _Reading:
    """One archive that is being read.

    Attributes:
        file: the archive, opened.
        total: how many bytes it has.
        asked_at: when somebody has asked about it last, by ``time.monotonic``.
        result: what will be seen.
        done: how many bytes were read.
    """

    file: IO[bytes]
    total: int
    asked_at: float = attrs.field(factory=time.monotonic)
    result: Future[Contents] = attrs.field(factory=Future)
    done: int = 0

    def progress(self) -> ReadProgress:
        """Return how far it has been read."""
        return ReadProgress(self.done, self.total)


class Readings:
    """The archives that are read, by their paths.

    Args:
        grace: seconds that ``contents`` waits for the end of a reading.
        unasked: seconds after which a reading that nobody has asked about is given up.
    """

    def __init__(self, *, grace: float = GRACE, unasked: float = UNASKED) -> None:
        self._grace = grace
        self._unasked = unasked
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._running: dict[Path, _Reading] = {}

    def contents(self, path: Path, notes: Any) -> Contents:
        """Return what an archive holds; begin to read it, or go on waiting for it.

        Args:
            path: where it is on this host.
            notes: the agent's notes on it.

        Raises:
            StillReading: it is not read to its end yet: ask again.
            OSError: it cannot be opened or read.
        """
        with self._lock:
            reading = self._running.get(path)
        if reading is None:
            reading = self._begin(path, notes)
        reading.asked_at = time.monotonic()
        try:
            seen = reading.result.result(self._grace)
        except StillRunning:
            raise StillReading(reading.progress()) from None
        finally:
            if reading.result.done():
                self._forget(path, reading)
        return seen

    def progress(self, path: Path) -> ReadProgress | None:
        """Return how far the reading of an archive below a path is, None where none goes on."""
        with self._lock:
            found = [each for at, each in self._running.items() if at.is_relative_to(path)]
        for reading in found:
            reading.asked_at = time.monotonic()
            if not reading.result.done():
                return reading.progress()
        return None

    def _begin(self, path: Path, notes: Any) -> _Reading:
        file = open_file(path)
        with self._lock:
            if path in self._running:
                file.close()
                return self._running[path]
            size = file.seek(0, 2)
            file.seek(0)
            reading = self._running[path] = _Reading(file, size)
        # A daemon: the end of the process does not wait for it.
        target = threading.Thread(target=self._read, args=(path, reading, notes), daemon=True)
        target.start()
        return reading

    def _read(self, path: Path, reading: _Reading, notes: Any) -> None:
        def go_on() -> None:
            reading.done = reading.file.tell()
            if time.monotonic() > reading.asked_at + self._unasked:
                self._forget(path, reading)
                raise UnreadArchive("nobody has waited for the end of its reading")

        with self._places, reading.file:
            try:
                reading.result.set_result(look(reading.file, notes, go_on))
            except BaseException as error:  # noqa: BLE001 - who asks for the result gets it
                reading.result.set_exception(error)

    def _forget(self, path: Path, reading: _Reading) -> None:
        with self._lock:
            if self._running.get(path) is reading:
                del self._running[path]
