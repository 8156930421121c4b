"""What restic's commands have written: progress, summaries, messages."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from karbor_backup_core import Progress, ProgressState
from karbor_backup_process import JobState, JobStatus, ProcessJob
from karbor_backup_restic import _errors


def read_progress(job: ProcessJob, command: int = 0) -> Progress:
    """Return how many bytes a running command has dealt with, as far as it says so."""
    for status in _messages(job.read_lines(command), "status"):
        done = _number(status, "bytes_done") or _number(status, "bytes_restored")
        total = _number(status, "total_bytes")
        if total:
            # restic still counts while it begins to read.
            total = max(total, done)
            return Progress(ProgressState.RUNNING, done=done, total=total, unit="bytes")
    return Progress(ProgressState.RUNNING)


def read_done(job: ProcessJob, command: int = 0) -> int | None:
    """Return how many bytes a command has dealt with; None as long as it does not say."""
    for status in _messages(job.read_lines(command), "status"):
        if done := _number(status, "bytes_done"):
            return done
    return None


def read_size(job: ProcessJob, command: int = 0) -> int:
    """Return how many bytes a command has dealt with when it ended."""
    for summary in _messages(job.read_lines(command), "summary"):
        return _number(summary, "total_bytes_processed")
    return 0


def failure_reason(job: ProcessJob, status: JobStatus, what: str) -> str:
    """Return why a job has failed, in one line.

    Args:
        job: the job.
        status: how it has ended.
        what: the command, in words.
    """
    told = ""
    if status.state is JobState.ENDED and status.signal is None and not status.error:
        told = _errors.failure_text(job.read_lines(status.last_command, "err"))
    return f"restic {what}: {told or status.describe()}"


def _messages(lines: Sequence[str], kind: str) -> Iterator[dict[str, Any]]:
    """Yield the messages of a kind, the latest first."""
    for line in reversed(lines):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict) and document.get("message_type") == kind:
            yield document


def _number(message: dict[str, Any], name: str) -> int:
    value = message.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
