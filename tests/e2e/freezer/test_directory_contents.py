"""What a directory's backup does not hold is named, and no archive is called good unread."""

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Any

import pytest

from karbor_backup_core import Result, Verb

CONTENTS = "directory's contents"
LACKS = "not in the backup, though the directory had them: "


def _checks_by_name(outcome: Any) -> Mapping[str, tuple[bool, str]]:
    return {check.name: (check.verified, check.reason) for check in outcome.checks}


def test_what_is_not_in_the_archive_is_named_at_protect_and_at_verify(
    harness: Any, do: Any
) -> None:
    tree = harness.tree()
    (tree / os.fsdecode(b"odd \xff name")).write_bytes(b"stored all the same")
    (tree / ("long" * 50)).write_bytes(b"stored")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(tree / "sock"))
        runner = harness.runner()
        backup = do.protect(runner, tree)
    assert _checks_by_name(backup)["stored data"] == (True, "")
    assert _checks_by_name(backup)[CONTENTS] == (
        False,
        f"{LACKS}sock (a socket, which tar does not store)",
    )
    verified = do.run(runner, Verb.VERIFY, backup)
    do.succeeded(verified)
    assert _checks_by_name(verified.outcome)[CONTENTS] == (False, f"{LACKS}sock")
    do.succeeded(do.run(runner, Verb.DELETE, backup))


def test_an_empty_directory_is_said_to_be_empty_and_a_damaged_archive_fails(
    harness: Any, do: Any
) -> None:
    tree = harness.tree()
    runner = harness.runner()
    whole = do.protect(runner, tree)
    assert _checks_by_name(whole)[CONTENTS] == (True, "")
    (tree / "file").unlink()
    empty = do.protect(runner, tree, backup_name="empty")
    verified, reason = _checks_by_name(empty)[CONTENTS]
    assert not verified
    assert "empty when it was stored" in reason
    (data,) = (harness.storage / harness.top / whole.id).rglob("data/tar/*/*/*/data")
    content = data.read_bytes()
    data.write_bytes(content[:-8] + bytes([content[-8] ^ 1]) + content[-7:])
    failed = do.run(runner, Verb.VERIFY, whole)
    assert failed.outcome.result is Result.FAILED
    assert "cannot be read to its end" in failed.outcome.reason
    for backup in (whole, empty):
        do.succeeded(do.run(runner, Verb.DELETE, backup))


@pytest.mark.any_user
def test_an_ordinary_users_scheduler_names_what_it_could_not_read_and_cannot_bring_back(
    harness: Any, do: Any
) -> None:
    tree = harness.tree()
    (tree / "secret").write_bytes(b"unreadable")
    (tree / "secret").chmod(0)
    backup = do.protect(harness.runner(), tree)
    seen = _checks_by_name(backup)
    if os.geteuid() == 0:
        assert seen[CONTENTS] == (True, "")
        assert "owners" not in seen
        return
    assert not seen["owners"][0]
    assert "secret (could not be read by the agent)" in seen[CONTENTS][1]
