"""What leaves the process in other ways than by an answer: what it prints, and what it starts."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

_START_EVENTS: Final = frozenset(
    {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system"}
)
_observers: Final[list[list[str]]] = []
_hooked: Final[list[bool]] = []


@contextlib.contextmanager
def watched_programs() -> Iterator[list[str]]:
    """Collect the arguments and the environment of each program that is started inside.

    One that gets the environment of this process is listed with its arguments only.
    """
    if not _hooked:
        sys.addaudithook(_on_event)  # it can never be taken off again
        _hooked.append(True)
    started: list[str] = []
    _observers.append(started)
    try:
        yield started
    finally:
        _observers.remove(started)


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if _observers and event in _START_EVENTS:
        for started in _observers:
            started.append(" ".join(_texts(arguments)))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in an argument of an event: lists of arguments, and environments."""
    if isinstance(value, bytes | str | os.PathLike):
        yield os.fsdecode(value)
    elif isinstance(value, dict):
        for each in value.items():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


@contextlib.contextmanager
def captured_output() -> Iterator[list[str]]:
    """Collect what is printed inside, by this process and by those that it starts.

    The list is filled when the context ends.
    """
    printed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "output")
        with path.open("w", encoding="utf-8") as file, _redirected(file):
            yield printed
        printed.append(path.read_text(encoding="utf-8", errors="replace"))


@contextlib.contextmanager
def _redirected(file: TextIO) -> Iterator[None]:
    """Let the standard streams lead to a file, those of Python and those of the process."""
    kept = [(number, os.dup(number)) for number in (1, 2)]
    try:
        with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            for number, _ in kept:
                os.dup2(file.fileno(), number)
            yield
            file.flush()
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
