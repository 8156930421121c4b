"""Background jobs: processes for one operation, which continue when their starter ends.

A lock shows whether a job runs. It is taken before the job is started, and its processes inherit
it: the kernel holds it exactly as long as one of them lives. So neither a reused process id nor a
stale file is mistaken for a running job.
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
    """The state of an operation's job."""

    NONE = enum.auto()
    """It was never begun."""
    RUNNING = enum.auto()
    DONE = enum.auto()
    BROKEN = enum.auto()
    """It failed, was stopped, or died with the machine."""


@attrs.frozen
class BackgroundJob:
    """The job of one operation.

    Attributes:
        folder: its own folder, created at the start; the parent must exist.
    """

    folder: Path

    def start(self, script: str, **variables: str) -> None:
        """Start the job, unless it has been started already.

        Args:
            script: a trusted shell script.
            variables: untrusted values, passed in the environment of the script.

        Raises:
            OSError: the job cannot be started.
            subprocess.CalledProcessError: the shell could not write its process group.
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
        """Return the state of the job."""
        if not self._is_started():
            return JobState.NONE
        with (self.folder / _LOCK).open("rb") as lock:
            # A shared lock, so that concurrent readers are not mistaken for the job.
            if not _try_lock(lock, fcntl.LOCK_SH):
                return JobState.RUNNING
        status = self.folder / _STATUS
        done = status.exists() and status.read_text().strip() == "0"
        return JobState.DONE if done else JobState.BROKEN

    def terminate(self) -> bool:
        """Terminate its processes; return whether there were any.

        While the lock is held one of them lives, so their process group id is not reused.
        """
        if self.read_state() is not JobState.RUNNING:
            return False
        try:
            os.killpg(int((self.folder / _GROUP).read_text()), signal.SIGTERM)
        except ProcessLookupError:
            return False
        return True

    def failure_reason(self) -> str:
        """Return the end of its output in one line."""
        lines = (self.folder / _LOG).read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line), "it was stopped before its end")

    def remove_folder(self) -> None:
        """Remove its folder; the job must not be running."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _is_started(self) -> bool:
        return (self.folder / _GROUP).exists()


def _try_lock(lock: IO[bytes], kind: int) -> bool:
    """Take the lock until the file is closed; return False if another process holds it."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
