"""A program that fails is named, with what it said last."""

import sys
from pathlib import Path

import pytest

from sandbox.errors import BuildError
from sandbox.subprocesses import run_checked


def test_environment_of_the_caller_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLOUD", "somebody's")
    code = "import os, pathlib; pathlib.Path('told').write_text(repr(sorted(os.environ)))"

    run_checked([sys.executable, "-c", code], tmp_path, {"WANTED": "yes"})

    variables = (tmp_path / "told").read_text()
    assert "WANTED" in variables
    assert "OS_CLOUD" not in variables


def test_failure_quotes_the_end_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"-c .* failed\.\nnot today"):
        run_checked([sys.executable, "-c", "raise SystemExit('not today')"], tmp_path)


def test_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no-such-program cannot be run"):
        run_checked(["no-such-program"], tmp_path)
