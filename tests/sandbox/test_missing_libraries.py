"""What a person reads who starts the sandbox before anything is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.missing_libraries import describe_missing_library

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("module", "target"), [("sandbox", "sandbox"), ("examples.demo", "demo")])
def test_missing_library_error_is_one_line_with_the_remedy(module: str, target: str) -> None:
    # Without the site module there is nothing but the standard library.
    done = subprocess.run(
        [sys.executable, "-S", "-m", module, "up"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "is not installed" in done.stderr
    assert f"`make {target}` installs what is needed" in done.stderr


def test_too_old_python_error_names_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.missing_libraries.OLDEST_PYTHON", (99, 0))
    message = describe_missing_library(ImportError("cannot import name 'Self'"), "sandbox")
    assert "or later is needed" in message
    assert message.endswith("make PYTHON=python3.11 sandbox")


@pytest.mark.parametrize("name", [None, "sandbox.nothing", "examples.demo.nothing"])
def test_import_error_of_the_project_is_raised(name: str | None) -> None:
    error = ImportError("a fault of our own", name=name)
    with pytest.raises(ImportError, match="a fault of our own"):
        describe_missing_library(error, "sandbox")


def test_unknown_name_of_the_package_raises_attribute_error() -> None:
    import sandbox

    assert sandbox.Sandbox is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sandbox.nothing
