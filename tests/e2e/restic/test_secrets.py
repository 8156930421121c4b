"""A repository's password is in no argument, environment, file, log, store or message.

Neither are the credentials of its storage, which are in the environment of restic alone.
"""

import contextlib
import json
import logging
from pathlib import Path
from typing import Final

import psutil
import pytest

from karbor_backup_contract import Fault
from karbor_backup_core import InvalidDocument, Verb
from karbor_backup_core.documents import to_document
from tests.e2e.restic.operations import ResticRunner
from tests.support.restic_harness import PASSWORD, ResticHarness

_SECRET = PASSWORD.encode()
KEY: Final = "canary-of-the-storage-s-key"


def test_password_is_seen_by_restic_alone(
    runner: ResticRunner, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    directory = runner.directory()
    operation_id = runner.begin_stalled(lambda: runner.begin(Verb.PROTECT, directory))
    for name in ("cmdline", "environ"):
        assert _SECRET not in _read_all(runner.harness.processes(), name)
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


def test_credentials_are_in_the_environment_of_restic_alone(
    restic: ResticHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEST_STORAGE_KEY", KEY)
    environment = {"AWS_SECRET_ACCESS_KEY": {"env": "TEST_STORAGE_KEY"}}
    with ResticRunner.open(restic, environment=environment) as runner:
        directory = runner.directory()
        operation_id = runner.begin_stalled(lambda: runner.begin(Verb.PROTECT, directory))
        environment_of_restic = _read_all(runner.stalled_processes(), "environ")
        assert f"AWS_SECRET_ACCESS_KEY={KEY}".encode() in environment_of_restic
        assert b"TEST_STORAGE_KEY" not in environment_of_restic
        assert KEY.encode() not in _read_all(restic.processes(), "cmdline")
        assert KEY.encode() not in _read_all(runner.supervisors(), "environ")
        for path in restic.folder.rglob("*"):
            assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
        runner.runner.cancel(operation_id)
        runner.wait(operation_id)
        runner.protect(runner.directory("more files"))
        restic.plan_fault("TALKS", "work", 'echo "Fatal: $AWS_SECRET_ACCESS_KEY" >&2; exit 1')
        assert "***" in runner.fail(Verb.PROTECT, runner.directory("even more"))
    assert KEY not in json.dumps([to_document(operation) for operation in runner.changes])
    assert KEY not in caplog.text


def test_missing_credential_is_named_and_nothing_is_started(restic: ResticHarness) -> None:
    backend = restic.backend(environment={"AWS_SECRET_ACCESS_KEY": {"env": "NO_SUCH_VARIABLE"}})
    health = backend.health()
    assert not health.ok
    assert "the environment variable NO_SUCH_VARIABLE" in health.summary


@pytest.mark.parametrize("name", ["RESTIC_PASSWORD", "RESTIC_REPOSITORY", "A=B", ""])
def test_variable_that_is_the_backends_own_or_none_is_refused(
    restic: ResticHarness, name: str
) -> None:
    with pytest.raises(InvalidDocument, match="environment"):
        restic.backend(environment={name: "x"})


def _read_all(processes: list[psutil.Process], name: str) -> bytes:
    """Return a file of /proc of all processes; one that has ended since has none to read."""
    contents = b""
    for process in processes:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            contents += Path(f"/proc/{process.pid}/{name}").read_bytes()
    return contents


def _check_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            assert _SECRET not in path.read_bytes(), path
