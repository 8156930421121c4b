"""A scheduler that runs as an ordinary user with umask 077, beside tests that run as root."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_core import Verb
from sandbox import scheduler
from sandbox.layout import Layout
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
)
from tests.support.outcomes import get_outcome
from tests.support.schedulers import CLOUD
from tests.support.waiting import wait_until

USER = pwd.getpwnam("nobody")
UMASK = 0o077


@attrs.frozen
class Ordinary:
    """A folder that the user owns, and the scheduler that works in it."""

    folder: Path
    client_id: str


@pytest.fixture
def ordinary(harness: FreezerHarness) -> Iterator[Ordinary]:
    # pytest's own folders are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="karbor-backup-"))
    folder.chmod(0o755)
    layout = Layout(name=harness.top, home=folder / "sandbox")
    (folder / "store").mkdir()
    scheduler.configure(
        layout,
        harness.top,
        auth_url=harness.sandbox.auth_url,
        account=harness.sandbox.accounts[CLOUD],
        capabilities=scheduler.Capabilities(),
    )
    for root, names, files in os.walk(folder):
        for name in (root, *(f"{root}/{each}" for each in (*names, *files))):
            os.chown(name, USER.pw_uid, USER.pw_gid)
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv (util-linux) is needed"
    service = scheduler.service(layout, harness.sandbox.instance.state.environment.bin, harness.top)
    log = folder / "log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            # It may look everywhere, since the sandbox's programs can be in a home of root's.
            [
                setpriv,
                f"--reuid={USER.pw_uid}",
                f"--regid={USER.pw_gid}",
                "--clear-groups",
                "--inh-caps=+dac_read_search",
                "--ambient-caps=+dac_read_search",
                *service.command,
            ],
            env=dict(service.environ),
            cwd=service.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            umask=UMASK,
        )
    try:
        wait_until(lambda: running.poll() is not None or str(service.ready_text) in log.read_text())
        assert running.poll() is None, log.read_text()
        yield Ordinary(folder, harness.top)
    finally:
        running.terminate()
        running.wait()
        shutil.rmtree(folder)
        harness.client(CLOUD).delete_entry("clients", harness.top)


def _checks(checks: Any) -> Mapping[str, str]:
    return {check.name: check.reason for check in checks if not check.verified}


@pytest.mark.root
def test_unprivileged_scheduler_reports_what_it_cannot_restore(
    harness: FreezerHarness, ordinary: Ordinary
) -> None:
    tree, back = ordinary.folder / "data", ordinary.folder / "back"
    tree.mkdir()
    (tree / "program").write_bytes(b"#!/bin/sh\n")
    (tree / "program").chmod(0o755)
    disk = {"kind": "local", "path": str(ordinary.folder / "store")}
    runner = harness.runner(cloud=CLOUD, scheduler=ordinary.client_id, storages={"disk": disk})

    backup = protect_directory(runner, tree)
    checks = _checks(backup.checks)
    assert "runs as 'nobody'" in checks["owners"]
    assert "umask 077" in checks["modes"]

    options = {"restore_name": "new", "restore_path": str(back)}
    restored = run_operation(runner, Verb.RESTORE, backup, options)
    assert_succeeded(restored)
    checks = _checks(get_outcome(restored).checks)
    assert "runs as 'nobody'" in checks["owners"]
    assert "umask 077" in checks["modes"]
    assert "of another mode than in the backup: ., program" in checks["restored contents"]
    assert "of another owner than in the backup: ., program" in checks["restored contents"]

    # And that is what has come of it.
    status = (back / "program").stat()
    assert stat.S_IMODE(status.st_mode) == 0o755 & ~UMASK
    assert status.st_uid == USER.pw_uid
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
