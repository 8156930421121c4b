"""What restic says when it fails, and what that means for the contract.

restic 0.14 has one exit status for all failures, so its words decide; later releases have exit
statuses of their own for some (10: no repository, 11: locked, 12: wrong password).
"""

import json
import os
import re
from collections.abc import Sequence
from typing import Final

from karbor_backup_core import BackendError, Transient, printable, truncate_text

_LONGEST: Final = 600

_FIRST_LINE: Final = re.compile(r"Fatal:|unable to |error|ignoring error|invalid id", re.IGNORECASE)

_SSH: Final = "subprocess ssh: "
_LOCATION: Final = "Is there a repository at the following location?"

_LOCKED: Final = re.compile(r"repository is already locked")
_HOLDER: Final = re.compile(r"locked (exclusively )?by PID (?P<pid>\d+) on (?P<host>\S+) by")
_WRONG_PASSWORD: Final = re.compile(r"wrong password or no key found")
_REFUSED: Final = re.compile(
    r"unexpected HTTP response \((401|403)\)|server response unexpected: (401|403)"
    r"|access.?denied|InvalidAccessKeyId|SignatureDoesNotMatch|access key id you provided"
    r"|signature we calculated does not match|permission denied \([a-z,-]+\)",
    re.IGNORECASE,
)
"""Credentials of the storage that it does not accept: of a REST server, of S3, of ssh."""

_SSH_ENDED: Final = re.compile(r"unable to start the sftp session")
_UNKNOWN_HOST_KEY: Final = re.compile(r"host key verification failed", re.IGNORECASE)
_UNKNOWN_CERTIFICATE: Final = re.compile(r"x509: ")
_REMEDIES: Final = {
    _WRONG_PASSWORD: "put the repository's password where the backend reads it",
    _REFUSED: (
        "the storage refuses the credentials: look at the backend's 'environment' or 'rest', or at "
        "the ssh key"
    ),
    _UNKNOWN_HOST_KEY: "log in to the host with ssh once, and accept its key",
    _UNKNOWN_CERTIFICATE: (
        "name the file with the certificate to trust as SSL_CERT_FILE in the backend's "
        "'environment'"
    ),
}
"""What to do about failures that stay until somebody does something; the first that fits."""

_NO_REPOSITORY: Final = re.compile(
    r"Is there a repository at the following location|repository does not exist"
)
_TEMPORARY: Final = re.compile(
    r"connection refused|connection reset|connection timed out|connection closed by"
    r"|no route to host|network is unreachable|could not resolve hostname|i/o timeout"
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
    told = " ".join(texts[start : start + 4]).removeprefix("Fatal: ").replace(_LOCATION, "at")
    # restic's ssh speaks for itself, and restic then only of the end of the connection.
    said = [text.removeprefix(_SSH) for text in texts[:start] if text.startswith(_SSH)]
    told = ": ".join((*said[-1:], told))
    return truncate_text(printable(told), _LONGEST)


def lock_text(lines: Sequence[str]) -> str:
    """Return whose lock is in the way, and what to do if it is of another host."""
    told = failure_text(lines)
    holder = _HOLDER.search(told)
    if holder is None or holder["host"] == os.uname().nodename:
        return told
    return (
        f"{told}: a restic that works renews its lock every 5 minutes; if this one is older, see "
        f"whether process {holder['pid']} of {holder['host']} is gone, and run 'restic unlock' "
        "there"
    )


def last_line(lines: Sequence[str]) -> str:
    """Return the last thing that another program says, in one line; empty if it says nothing."""
    return truncate_text(printable((lines or [""])[-1].strip()), _LONGEST)


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
        return RepositoryLocked(f"{what}: {lock_text(lines)}")
    for fault, remedy in _REMEDIES.items():
        if fault.search(whole):
            return BackendError(f"{message}: {remedy}")
    if _TEMPORARY.search(whole):
        return Transient(message)
    if _SSH_ENDED.search(whole):
        # restic may end before it has passed on what its ssh says, and says it the next time.
        return Transient(
            f"{message}: ssh has ended the connection: log in with ssh by hand to see why"
        )
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
