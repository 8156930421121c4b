"""Archives that are read in the background, since reading one may take longer than a call may."""

import threading
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import IO, Any, Final, TypeAlias, TypeVar

import attrs

from karbor_backup_freezer.inspection.archive import ArchiveNotRead
from karbor_backup_freezer.inspection.contents import ArchiveContents, read_contents
from karbor_backup_freezer.inspection.local import open_file

GRACE_SECONDS: Final = 0.5
"""Seconds that a call waits for a reading to end: most do, and need no further call."""

IDLE_TIMEOUT: Final = 3600.0
"""Seconds after which a reading that nobody has asked about is given up."""

MAX_CONCURRENT: Final = 2
"""How many archives are read at a time; others wait."""

T = TypeVar("T")

ReadFunction: TypeAlias = Callable[[IO[bytes], Callable[[], None]], T]
"""Reads an archive; it calls its second argument before each part, and that may end the reading."""

_Key: TypeAlias = tuple[Path, str]


@attrs.frozen
class ReadProgress:
    """How far an archive has been read.

    Attributes:
        done: how many of its bytes were read.
        total: how many there are.
    """

    done: int
    total: int


class ReadInProgress(Exception):
    """An archive has not been read to its end yet.

    Attributes:
        progress: how far it has been read.
    """

    def __init__(self, progress: ReadProgress) -> None:
        super().__init__(f"{progress.done} of {progress.total} bytes of the archive were read")
        self.progress = progress


@attrs.define(eq=False)
class _ArchiveRead:
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
    result: futures.Future[Any] = attrs.field(factory=futures.Future)
    done: int = 0

    def progress(self) -> ReadProgress:
        """Return how far it has been read."""
        return ReadProgress(self.done, self.total)


class ArchiveReads:
    """The archives that are read, by their paths.

    Args:
        grace: seconds that ``contents`` waits for the end of a reading.
        unasked: seconds after which a reading that nobody has asked about is given up.
    """

    def __init__(self, *, grace: float = GRACE_SECONDS, unasked: float = IDLE_TIMEOUT) -> None:
        self._grace = grace
        self._unasked = unasked
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_CONCURRENT)
        self._running: dict[_Key, _ArchiveRead] = {}

    def get_contents(self, path: Path, notes: Any) -> ArchiveContents:
        """Return what an archive holds; begin to read it, or go on waiting for it.

        Args:
            path: where it is on this host.
            notes: the agent's notes on it.

        Raises:
            ReadInProgress: it is not read to its end yet: ask again.
            OSError: it cannot be opened or read.
        """
        return self.read(path, "", lambda file, go_on: read_contents(file, notes, go_on))

    def read(self, path: Path, purpose: str, function: "ReadFunction[T]") -> T:
        """Return what a function finds in an archive; begin to read, or go on waiting for it.

        Args:
            path: where the archive is on this host.
            purpose: what for; one archive may be read for several purposes at a time.
            function: reads it.

        Raises:
            ReadInProgress: it is not read to its end yet: ask again.
            OSError: it cannot be opened or read.
            Exception: what the function raises.
        """
        key = path, purpose
        with self._lock:
            reading = self._running.get(key)
        if reading is None:
            reading = self._start(key, function)
        reading.asked_at = time.monotonic()
        # What ends right after this wait is kept for the next call.
        if not futures.wait([reading.result], self._grace).done:
            raise ReadInProgress(reading.progress())
        self._discard(key, reading)
        seen: T = reading.result.result()
        return seen

    def get_progress(self, path: Path) -> ReadProgress | None:
        """Return how far the reading of an archive below a path is, None where none goes on."""
        with self._lock:
            found = [each for (at, _), each in self._running.items() if at.is_relative_to(path)]
        for reading in found:
            reading.asked_at = time.monotonic()
            if not reading.result.done():
                return reading.progress()
        return None

    def _start(self, key: "_Key", function: "ReadFunction[Any]") -> _ArchiveRead:
        file = open_file(key[0])
        with self._lock:
            if key in self._running:
                file.close()
                return self._running[key]
            size = file.seek(0, 2)
            file.seek(0)
            reading = self._running[key] = _ArchiveRead(file, size)
        # A daemon: the end of the process does not wait for it.
        target = threading.Thread(target=self._read, args=(key, reading, function), daemon=True)
        target.start()
        return reading

    def _read(self, key: "_Key", reading: _ArchiveRead, function: "ReadFunction[Any]") -> None:
        def go_on() -> None:
            reading.done = reading.file.tell()
            if time.monotonic() > reading.asked_at + self._unasked:
                self._discard(key, reading)
                raise ArchiveNotRead("nobody has waited for the end of its reading")

        with self._places, reading.file:
            try:
                reading.result.set_result(function(reading.file, go_on))
            except BaseException as error:  # noqa: BLE001 - who asks for the result gets it
                reading.result.set_exception(error)

    def _discard(self, key: "_Key", reading: _ArchiveRead) -> None:
        with self._lock:
            if self._running.get(key) is reading:
                del self._running[key]
