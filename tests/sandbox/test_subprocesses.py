"""A program that fails is named, with what it said last."""

import sys
from pathlib import Path

import pytest

from sandbox.errors import BuildError
from sandbox.subprocesses import run_checked


def test_it_knows_nothing_of_the_callers_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLOUD", "somebody's")
    code = "import os, pathlib; pathlib.Path('told').write_text(repr(sorted(os.environ)))"

    run_checked([sys.executable, "-c", code], tmp_path, {"WANTED": "yes"})

    told = (tmp_path / "told").read_text()
    assert "WANTED" in told
    assert "OS_CLOUD" not in told


def test_its_last_words_are_told(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"-c .* failed\.\nnot today"):
        run_checked([sys.executable, "-c", "raise SystemExit('not today')"], tmp_path)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no-such-program cannot be run"):
        run_checked(["no-such-program"], tmp_path)
