"""How a job stands, as its files tell."""

import enum
import json
import signal
from pathlib import Path
from typing import Any, Final

import attrs

PROCESS_FILE: Final = "process.json"
STATUS_FILE: Final = "status.json"
LOCK_FILE: Final = "lock"
STOP_FILE: Final = "stop.json"
QUEUE_FILE: Final = "queued"
"""Is there while a job waits until fewer of them run, and stays where it ended before that."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class JobState(enum.Enum):
    """The state of a job."""

    NONE = enum.auto()
    """It was never started, or has been removed."""
    RUNNING = enum.auto()
    """A process of it lives, or it is being started."""
    ENDED = enum.auto()
    """Its supervisor has noted how it ended."""
    LOST = enum.auto()
    """Its processes are gone, and nothing says how they ended: killed, or the machine went down."""


@attrs.frozen
class JobStatus:
    """The state of a job, and how it ended.

    Attributes:
        state: see ``JobState``.
        queued: whether it waits until fewer jobs run, or has ended before that.
        exit_statuses: of the commands that were run, in their order; None where a signal ended one.
        signal: the number of the signal that ended the last command, if one did.
        succeeded: whether all commands were run, each to an end that it was allowed to have.
        stopped: whether a stop was requested before the end.
        error: why a command could not be started; empty if it was.
        source_error: how the source of the last command has ended, if that was not well; empty
            otherwise.
        restarted: whether the machine was restarted since; known of a lost job.
        ended_at: when it ended, in seconds since 1970; None if that was not noted.
    """

    state: JobState
    queued: bool = False
    exit_statuses: tuple[int | None, ...] = ()
    signal: int | None = None
    succeeded: bool = False
    stopped: bool = False
    error: str = ""
    source_error: str = ""
    restarted: bool = False
    ended_at: float | None = None

    @property
    def was_begun(self) -> bool:
        """Whether a command of it may have been started."""
        return self.state is not JobState.NONE and not self.queued

    @property
    def last_command(self) -> int:
        """The index of the last command that was run."""
        return max(0, len(self.exit_statuses) - 1)

    def describe(self) -> str:
        """Return how the job stands, in words for a user."""
        match self.state:
            case JobState.NONE:
                return "it was not started"
            case JobState.RUNNING:
                return "it is queued" if self.queued else "it runs"
            case JobState.LOST if self.restarted:
                return "the machine was restarted while it ran"
            case JobState.LOST:
                return "its processes were killed before they could say how they ended"
        if self.error:
            return self.error
        if self.source_error:
            return f"the source of its input: {self.source_error}"
        if self.signal is not None:
            return f"it was ended by {_signal_name(self.signal)}"
        if self.stopped and not self.succeeded:
            return "it was stopped"
        return f"it ended with exit status {self.exit_statuses[-1]}"


def read_boot_id() -> str:
    """Return the id of the machine's boot; empty where the system has none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def read_ended(directory: Path) -> JobStatus | None:
    """Return how a job has ended; None as long as nothing says so."""
    noted = read_json(directory / STATUS_FILE)
    if noted is None:
        return None
    return JobStatus(
        JobState.ENDED,
        queued=is_queued(directory),
        exit_statuses=tuple(noted.get("exit_statuses", ())),
        signal=noted.get("signal"),
        succeeded=noted.get("complete", False),
        stopped=noted.get("stopped", False),
        error=noted.get("error", ""),
        source_error=noted.get("source_error", ""),
        ended_at=noted.get("at"),
    )


def read_lost(directory: Path) -> JobStatus | None:
    """Return that a job was started and is lost; None if it was never started."""
    noted = read_json(directory / PROCESS_FILE)
    if noted is None:
        return None
    restarted = bool(noted.get("boot")) and noted["boot"] != read_boot_id()
    return JobStatus(JobState.LOST, is_queued(directory), restarted=restarted)


def is_queued(directory: Path) -> bool:
    """Return whether no command of a job has been started, because others run."""
    return (directory / QUEUE_FILE).exists()


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where there is no file, or no whole object in it."""
    try:
        document = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
