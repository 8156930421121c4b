"""What restic says when it fails, as restic 0.14 and later releases write it."""

import pytest

from karbor_backup_core import BackendError, Transient
from karbor_backup_restic._errors import RepositoryLocked, create_error, failure_text

_LOCKED = (
    "unable to create lock in backend: repository is already locked by PID 7 on vm by me",
    "lock was created at 2026-11-27 17:25:07 (2s ago)",
)
_MISSING = (
    "Fatal: unable to open config file: stat /srv/config: no such file or directory",
    "Is there a repository at the following location?",
    "/srv",
)
_SSH_REFUSED = (
    "subprocess ssh: me@nas: Permission denied (publickey).",
    "Fatal: unable to start the sftp session",
)
_REFUSED = "the storage refuses the credentials"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], ""),
        (["something"], "something"),
        (["warning", "Fatal: wrong password or no key found"], "wrong password or no key found"),
        (
            _MISSING,
            "unable to open config file: stat /srv/config: no such file or directory at /srv",
        ),
        (_SSH_REFUSED, "me@nas: Permission denied (publickey).: unable to start the sftp session"),
        (
            ['{"message_type":"exit_error","code":12,"message":"Fatal: wrong password"}'],
            "wrong password",
        ),
        (
            [
                '{"message_type":"error","error":{"Op":"open","Err":13},"item":"/a/b"}',
            ],
            "error at /a/b: open: error 13",
        ),
        (["Fatal: a\x1b[31mb"], "a\\x1b[31mb"),
    ],
)
def test_reason_is_what_restic_says(lines: list[str], text: str) -> None:
    assert failure_text(lines) == text


def test_long_reason_is_cut() -> None:
    assert len(failure_text(["x" * 100_000])) < 1000


@pytest.mark.parametrize(
    ("lines", "exit_status", "kind", "remedy"),
    [
        (_LOCKED, 1, RepositoryLocked, "locked"),
        (["locked"], 11, RepositoryLocked, "locked"),
        (_MISSING, 1, BackendError, "make it with 'restic init'"),
        (["Fatal: wrong password or no key found"], 1, BackendError, "put the repository's"),
        (_SSH_REFUSED, 1, BackendError, _REFUSED),
        (["Fatal: unexpected HTTP response (401): 401 Unauthorized"], 1, BackendError, _REFUSED),
        (["Fatal: Stat: Access Denied."], 1, BackendError, _REFUSED),
        (
            ["Fatal: Stat: The request signature we calculated does not match the signature you"],
            *(1, BackendError, _REFUSED),
        ),
        (["subprocess ssh: Host key verification failed."], 1, BackendError, "accept its key"),
        (["Fatal: x509: certificate signed by unknown authority"], 1, BackendError, "SSL_CERT"),
        (["Fatal: unable to start the sftp session, error: EOF"], 1, Transient, "by hand"),
        (["subprocess ssh: ssh: connect to x: Connection refused"], 1, Transient, "refused"),
        (["Fatal: dial tcp 127.0.0.1:1: connect: connection refused"], 1, Transient, "refused"),
        (["Fatal: write /srv/data/x: no space left on device"], 1, BackendError, "no space"),
        ([], 7, BackendError, "exit status 7"),
    ],
)
def test_failure_is_an_error_of_the_contract(
    lines: list[str], exit_status: int, kind: type[BackendError], remedy: str
) -> None:
    error = create_error("restic cannot list snapshots", lines, exit_status)
    assert type(error) is kind
    assert str(error).startswith("restic cannot list snapshots: ")
    assert remedy in str(error)
