"""Work outside: a few processes for each operation, which go on whoever dies here.

The lock is what makes it safe. It is taken before the work is started, and the work inherits it:
the kernel holds it exactly as long as a process of the work lives. No number that was given to
another process meanwhile, and no file that nobody removed, can be mistaken for work that runs.
"""

import enum
import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import IO, Final

import attrs

_LOCK: Final = "lock"
_GROUP: Final = "group"
_STATUS: Final = "status"
_LOG: Final = "log"

_DETACHED: Final = (
    f"echo $$ >{_GROUP}; {{ {{ %s\n}}; echo $? >{_STATUS}; }} </dev/null >{_LOG} 2>&1 &"
)
"""A shell that notes its process group, leaves the work running in it, and is gone."""


class JobState(enum.Enum):
    """How the work of an operation stands."""

    NONE = enum.auto()
    """It was never begun."""
    RUNNING = enum.auto()
    DONE = enum.auto()
    BROKEN = enum.auto()
    """It failed, was stopped, or died with the machine."""


@attrs.frozen
class BackgroundJob:
    """The work of one operation.

    Attributes:
        folder: its own folder, made when the work is started; its parent must be there.
    """

    folder: Path

    def start(self, script: str, **variables: str) -> None:
        """Start it, unless that has been done already.

        Args:
            script: for the shell; trusted.
            variables: what the script is told, in its environment; not trusted.

        Raises:
            OSError: it cannot be started.
            subprocess.CalledProcessError: the shell could not note its group.
        """
        self.folder.mkdir(exist_ok=True)
        with (self.folder / _LOCK).open("wb") as lock:
            if not _try_lock(lock, fcntl.LOCK_EX) or self._is_started():
                return
            subprocess.run(
                ["/bin/sh", "-ec", _DETACHED % script],
                cwd=self.folder,
                env={**os.environ, "LC_ALL": "C", **variables},
                pass_fds=[lock.fileno()],
                start_new_session=True,
                check=True,
            )

    def read_state(self) -> JobState:
        """Look how it stands."""
        if not self._is_started():
            return JobState.NONE
        with (self.folder / _LOCK).open("rb") as lock:
            # Shared, so that two who look at the same time do not take each other for the work.
            if not _try_lock(lock, fcntl.LOCK_SH):
                return JobState.RUNNING
        status = self.folder / _STATUS
        done = status.exists() and status.read_text().strip() == "0"
        return JobState.DONE if done else JobState.BROKEN

    def terminate(self) -> bool:
        """Ask its processes to end; answer whether there were any.

        While the lock is held one of them lives, so the number of their group is still theirs.
        """
        if self.read_state() is not JobState.RUNNING:
            return False
        try:
            os.killpg(int((self.folder / _GROUP).read_text()), signal.SIGTERM)
        except ProcessLookupError:
            return False
        return True

    def failure_reason(self) -> str:
        """Return the last that it said, in one line."""
        lines = (self.folder / _LOG).read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line), "it was stopped before its end")

    def remove_folder(self) -> None:
        """Remove the notes on it; it must not be running."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _is_started(self) -> bool:
        return (self.folder / _GROUP).exists()


def _try_lock(lock: IO[bytes], kind: int) -> bool:
    """Take the lock until the file is closed; false when somebody has it in another way."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
