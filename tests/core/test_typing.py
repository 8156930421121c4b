"""mypy and pyright find in a user's program what the runner refuses."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.wheels import ROOT

_PROGRAM: Final = """
from karbor_backup_core import (
    Backend, Backup, Operation, Resource, Runner, Verb, plan_delete, plan_protect, plan_restore,
    plan_verify,
)

def use(runner: Runner, backend: Backend, resource: Resource, backup: Backup) -> None:
    {statement}
"""

_MYPY: Final = ("mypy", "--strict", "--follow-imports=silent", ".")
_PYRIGHT: Final = ("pyright", "--pythonpath", sys.executable, ".")
_ERROR: Final = re.compile(r"program_(\d+)\.py:\d+(?::\d+)?(?: -|:) error")

_RIGHT: Final = (
    "runner.protect('lab', resource, {'backup_name': 'nightly'})",
    "runner.submit(runner.plan('lab', Verb.PROTECT, resource))",
    "runner.submit(runner.plan('lab', 'restore', backup))",
    "runner.submit(plan_delete(backend, backup)).result().state",
    "runner.wait(runner.verify('lab', backup).id).outcome",
)

_MISUSES: Final = (
    "runner.plan('lab', Verb.DELETE, resource)",
    "runner.plan('lab', Verb.PROTECT, backup)",
    "runner.plan('lab', 'protekt', resource)",
    "runner.plan('lab', 'delete', resource)",
    "runner.protect('lab', backup)",
    "runner.protect('lab', 'volume-1')",
    "runner.protect(backend, resource)",
    "runner.restore('lab', resource)",
    "runner.delete('lab', resource)",
    "runner.verify('lab', 'backup-1')",
    "runner.protect('lab', resource, deadline=60)",
    "runner.protect('lab', resource, 'backup_name=nightly')",
    "plan_protect(backend, backup)",
    "plan_protect('lab', resource)",
    "plan_restore(backend, resource)",
    "plan_delete(backend, resource)",
    "plan_verify(backend, resource)",
    "runner.submit(resource)",
    "runner.submit(runner.protect('lab', resource))",
    "runner.wait(runner.protect('lab', resource))",
    "runner.cancel(runner.plan('lab', 'protect', resource))",
)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    for number, statement in enumerate((*_RIGHT, *_MISUSES)):
        program = folder / f"program_{number}.py"
        program.write_text(_PROGRAM.format(statement=statement), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=[_MYPY, _PYRIGHT], ids=lambda command: command[0])
def wrong(programs: Path, request: pytest.FixtureRequest) -> set[int]:
    """Return the numbers of the programs in which a type checker finds an error."""
    done = subprocess.run(
        [sys.executable, "-m", *request.param],
        cwd=programs,
        env={"MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {int(number) for number in _ERROR.findall(done.stdout)}
    assert found, done.stdout + done.stderr
    return found


@pytest.mark.parametrize("statement", _RIGHT)
def test_right_use_is_accepted(wrong: set[int], statement: str) -> None:
    assert _RIGHT.index(statement) not in wrong


@pytest.mark.parametrize("statement", _MISUSES)
def test_misuse_is_found(wrong: set[int], statement: str) -> None:
    assert len(_RIGHT) + _MISUSES.index(statement) in wrong
