"""What restic says when it fails, and what that means for the contract.

restic 0.14 has one exit status for all failures, so its words decide; later releases have exit
statuses of their own for some (10: no repository, 11: locked, 12: wrong password).
"""

import json
import re
from collections.abc import Sequence
from typing import Final

from karbor_backup_core import BackendError, Transient, printable, truncate_text

_LONGEST: Final = 600

_FIRST_LINE: Final = re.compile(r"Fatal:|unable to |error|ignoring error|invalid id", re.IGNORECASE)

_LOCKED: Final = re.compile(r"repository is already locked")
_WRONG_PASSWORD: Final = re.compile(r"wrong password or no key found")
_NO_REPOSITORY: Final = re.compile(
    r"Is there a repository at the following location|repository does not exist"
)
_TEMPORARY: Final = re.compile(
    r"connection refused|connection reset|no route to host|network is unreachable|i/o timeout"
    r"|no such host|name resolution|handshake timeout|deadline exceeded"
    r"|unexpected HTTP response \((429|5\d\d)\)|server response unexpected: (429|5\d\d)"
    r"|stale NFS file handle|transport endpoint is not connected",
    re.IGNORECASE,
)

_EXIT_LOCKED: Final = 11


class RepositoryLocked(Transient):
    """Another restic works on the repository in a way that excludes this command."""


def failure_text(lines: Sequence[str]) -> str:
    """Return the reason of a failure from restic's messages, in one line; empty if none says it."""
    texts = [text for line in lines if (text := _message(line).strip())]
    firsts = [index for index, text in enumerate(texts) if _FIRST_LINE.match(text)]
    fatal = [index for index in firsts if texts[index].startswith("Fatal:")]
    start = (fatal or firsts or [max(0, len(texts) - 1)])[-1]
    told = " ".join(texts[start : start + 4]).removeprefix("Fatal: ")
    return truncate_text(printable(told), _LONGEST)


def is_locked(lines: Sequence[str], exit_status: int | None = None) -> bool:
    """Return whether a command failed because the repository is locked."""
    return exit_status == _EXIT_LOCKED or any(_LOCKED.search(line) for line in lines)


def create_error(what: str, lines: Sequence[str], exit_status: int) -> BackendError:
    """Return the exception of the contract for a command that failed.

    Args:
        what: the command, in words.
        lines: its standard error.
        exit_status: its exit status.
    """
    text = failure_text(lines) or f"exit status {exit_status}"
    message = f"{what}: {text}"
    whole = "\n".join(lines)
    if is_locked(lines, exit_status):
        return RepositoryLocked(message)
    if _WRONG_PASSWORD.search(whole):
        return BackendError(f"{message}: put the repository's password where the backend reads it")
    if _TEMPORARY.search(whole):
        return Transient(message)
    if _NO_REPOSITORY.search(whole):
        return BackendError(f"{message}: mount it, or make it with 'restic init'")
    return BackendError(message)


def _message(line: str) -> str:
    """Return the text of a line, which restic writes as JSON since 0.17."""
    if not line.startswith("{"):
        return line
    try:
        document = json.loads(line)
    except ValueError:
        return line
    message = document.get("message")
    if isinstance(message, str):
        return message
    error = document.get("error")
    item = document.get("item", "")
    if isinstance(error, dict):
        detail = error.get("message") or f"{error.get('Op', 'read')}: error {error.get('Err', '')}"
        return f"error at {item}: {detail}"
    return line
