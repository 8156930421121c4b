"""The repository's password is in no argument, environment, file, log, store or message."""

import json
import logging
from pathlib import Path

import psutil
import pytest

from karbor_backup_contract import Fault
from karbor_backup_core import Verb
from karbor_backup_core.documents import to_document
from tests.e2e.restic.operations import ResticRunner, wait_until
from tests.support.restic_harness import PASSWORD

_SECRET = PASSWORD.encode()


def test_password_is_seen_by_restic_alone(
    runner: ResticRunner, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    directory = runner.directory()
    runner.harness.faults[Fault.STALL]()
    operation_id = runner.begin(Verb.PROTECT, directory)
    wait_until(runner.restic_processes)
    for process in runner.harness.processes():
        _check_process(process)
    _check_files(runner.harness.folder)
    runner.runner.cancel(operation_id)
    runner.wait(operation_id)
    backup = runner.protect(directory)
    runner.succeed(Verb.VERIFY, backup)
    runner.harness.faults[Fault.REFUSE]()
    runner.fail(Verb.PROTECT, directory)
    _check_files(runner.harness.folder)
    stored = [to_document(operation) for operation in runner.changes]
    assert PASSWORD not in json.dumps(stored)
    assert PASSWORD not in caplog.text


def _check_process(process: psutil.Process) -> None:
    for name in ("cmdline", "environ"):
        assert _SECRET not in Path(f"/proc/{process.pid}/{name}").read_bytes()


def _check_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            assert _SECRET not in path.read_bytes(), path
