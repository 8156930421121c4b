"""The death of a process in the middle of a hook: by a signal, or by an exception as good as that.

A process that is killed runs no ``finally`` and writes out no buffer. So the better way is to kill
one, which needs a backend that another process can make. An exception comes near to it: it cannot
be caught, and what a backend's own code would do on its way out is stopped again.
"""

import contextlib
import gc
import inspect
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self

import attrs

_CORE: Final = "karbor_backup_core"
_EFFECT_MODULES: Final = frozenset(
    {"posix", "io", "_io", "fcntl", "_posixsubprocess", "_socket", "_ssl", "_sqlite3", "sqlite3"}
)
_READS: Final = frozenset(
    {
        "access",
        "close",
        "cpu_count",
        "fileno",
        "fspath",
        "fstat",
        "fstatvfs",
        "geteuid",
        "getegid",
        "getcwd",
        "getgid",
        "getpeername",
        "getpid",
        "getppid",
        "getpwuid",
        "getsockname",
        "getuid",
        "isatty",
        "listdir",
        "lseek",
        "lstat",
        "peek",
        "read",
        "read1",
        "readable",
        "readall",
        "readinto",
        "readline",
        "readlines",
        "readlink",
        "register_at_fork",
        "scandir",
        "seek",
        "seekable",
        "stat",
        "statvfs",
        "tell",
        "text_encoding",
        "umask",
        "uname",
        "urandom",
        "waitpid",
        "waitstatus_to_exitcode",
        "writable",
    }
)
"""Functions of these modules that change nothing outside, so that dying behind one is no news."""


class SuddenDeathError(BaseException):
    """Stands for the signal that ends a process; no ``except Exception`` catches it."""


@attrs.frozen
class KillAtEffect:
    """Kills this process behind the n-th call that changes something outside it.

    Between two of them a death leaves the same behind wherever it comes.

    Attributes:
        number: which one, counted from 1; 0 for none.
    """

    number: int
    _effects: list[None] = attrs.field(factory=list)

    def __enter__(self) -> Self:
        if self.number:
            sys.setprofile(self._profile)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        sys.setprofile(None)

    def _profile(self, _frame: FrameType, event: str, function: Any) -> None:
        if event != "c_return" or function.__name__ in _READS:
            return
        owner = getattr(function, "__self__", None)
        modules = {getattr(function, "__module__", None), type(owner).__module__}
        if modules & _EFFECT_MODULES:
            self._effects.append(None)
            if len(self._effects) == self.number:
                os.kill(os.getpid(), signal.SIGKILL)


@attrs.define
class DieAtLine:
    """Ends a call with an exception at the n-th line of a backend's own code that it comes to.

    Attributes:
        plugin: the backend object.
        spared: names of modules, and of packages, that are no part of the process.
        number: which line, counted from 1 and each one once; 0 for none.
        lines: the lines that the call came to.
        dead: whether it died.
    """

    plugin: Any
    spared: Collection[str]
    number: int
    lines: set[tuple[str, int]] = attrs.field(factory=set)
    dead: bool = False
    _before: tuple[Any, Any] = (None, None)
    _roots: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        self._roots = _find_roots(self.plugin)
        self._before = (sys.gettrace(), sys.getprofile())
        sys.settrace(self._trace)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        trace, profile = self._before
        sys.setprofile(profile)
        sys.settrace(trace)
        died = isinstance(error, SuddenDeathError)
        if died:
            _clear_frames(error)
        return died

    def _trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if not self._is_counted(frame):
            return None
        if event == "line":
            known = len(self.lines)
            self.lines.add((frame.f_code.co_filename, frame.f_lineno))
            dies = known < len(self.lines) == self.number or self._must_stay_dead(frame)
            if dies:
                self.dead = True
                # An exception ends the tracing, and this goes on with it.
                sys.setprofile(self._profile)
                raise SuddenDeathError
        return self._trace

    def _profile(self, frame: FrameType, event: str, _argument: Any) -> None:
        """Stop what is called on the way out, such as in a ``finally``."""
        caller = frame.f_back if event == "call" else frame
        if event not in ("call", "c_call") or caller is None or not self._is_counted(caller):
            return
        if frame.f_globals.get("__name__") == "contextlib" or not self._must_stay_dead(frame):
            return  # It goes on to the generator of the backend, which is stopped in turn.
        outer: FrameType | None = caller
        while outer is not None:
            if self._is_counted(outer):
                outer.f_trace = self._trace
            outer = outer.f_back
        sys.settrace(self._trace)
        raise SuddenDeathError

    def _must_stay_dead(self, frame: FrameType) -> bool:
        """Say whether what runs does so on the way out, and may be stopped by an exception.

        None comes out of what Python calls to remove an object.
        """
        code = frame.f_code
        closed = isinstance(sys.exception(), GeneratorExit) or code.co_flags & inspect.CO_GENERATOR
        return self.dead and not closed and code.co_name != "__del__"

    def _is_counted(self, frame: FrameType) -> bool:
        if not frame.f_code.co_filename.startswith(self._roots):
            return False
        module = str(frame.f_globals.get("__name__"))
        return not any(module == name or module.startswith(f"{name}.") for name in self.spared)


@contextlib.contextmanager
def leave_files_open() -> Iterator[None]:
    """Blame nobody for files that are left open: the process of a call is as good as dead.

    The backend object of the call is to end with this, too. What was made meanwhile and refers to
    itself, as an exception and a frame do, is removed at the end. Otherwise it were removed within
    some later test, which would be blamed.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            yield
            gc.collect(0)
    finally:
        if enabled:
            gc.enable()


def _clear_frames(error: BaseException | None) -> None:
    """Let go of what dead calls held."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _find_roots(plugin: Any) -> tuple[str, ...]:
    """Return the folders, and the files, that a backend's own code lies in."""
    roots: set[str] = set()
    for cls in type(plugin).__mro__:
        top = cls.__module__.partition(".")[0]
        if top in sys.stdlib_module_names or top == _CORE:
            continue
        package = sys.modules.get(top)
        folders = list(getattr(package, "__path__", ()))
        roots.update(f"{Path(each)}{os.sep}" for each in folders)
        if not folders and (file := getattr(package, "__file__", None)):
            roots.add(str(file))
    return tuple(roots)
