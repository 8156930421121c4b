"""What a directory's backup does not hold is named, and no archive is called good unread."""

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Any

import pytest

from karbor_backup_core import Result, Verb
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
)
from tests.support.outcomes import get_outcome

CONTENTS = "directory's contents"
LACKS = "not in the backup, though the directory had them: "


def _checks_by_name(outcome: Any) -> Mapping[str, tuple[bool, str]]:
    return {check.name: (check.verified, check.reason) for check in outcome.checks}


def test_files_missing_from_the_archive_are_named_by_protect_and_verify(
    harness: FreezerHarness,
) -> None:
    tree = harness.tree()
    (tree / os.fsdecode(b"odd \xff name")).write_bytes(b"stored all the same")
    (tree / ("long" * 50)).write_bytes(b"stored")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(tree / "sock"))
        runner = harness.runner()
        backup = protect_directory(runner, tree)
    assert _checks_by_name(backup)["stored data"] == (True, "")
    assert _checks_by_name(backup)[CONTENTS] == (
        False,
        f"{LACKS}sock (a socket, which tar does not store)",
    )
    verified = run_operation(runner, Verb.VERIFY, backup)
    assert_succeeded(verified)
    assert _checks_by_name(verified.outcome)[CONTENTS] == (False, f"{LACKS}sock")
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def test_empty_directory_is_reported_and_damaged_archive_fails(
    harness: FreezerHarness,
) -> None:
    tree = harness.tree()
    runner = harness.runner()
    whole = protect_directory(runner, tree)
    assert _checks_by_name(whole)[CONTENTS] == (True, "")
    (tree / "file").unlink()
    empty = protect_directory(runner, tree, backup_name="empty")
    verified, reason = _checks_by_name(empty)[CONTENTS]
    assert not verified
    assert "empty when it was stored" in reason
    (data,) = (harness.storage / harness.top / whole.id).rglob("data/tar/*/*/*/data")
    content = data.read_bytes()
    data.write_bytes(content[:-8] + bytes([content[-8] ^ 1]) + content[-7:])
    failed = run_operation(runner, Verb.VERIFY, whole)
    assert get_outcome(failed).result is Result.FAILED
    assert "cannot be read to its end" in get_outcome(failed).reason
    for backup in (whole, empty):
        assert_succeeded(run_operation(runner, Verb.DELETE, backup))


@pytest.mark.any_user
def test_unprivileged_scheduler_names_unreadable_and_unrestorable_files(
    harness: FreezerHarness,
) -> None:
    tree = harness.tree()
    (tree / "secret").write_bytes(b"unreadable")
    (tree / "secret").chmod(0)
    backup = protect_directory(harness.runner(), tree)
    checks = _checks_by_name(backup)
    if os.geteuid() == 0:
        assert checks[CONTENTS] == (True, "")
        assert "owners" not in checks
        return
    assert not checks["owners"][0]
    assert "secret (could not be read by the agent)" in checks[CONTENTS][1]
