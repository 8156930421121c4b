"""``python -m tests.releases NAME``: the tests with the libraries of another time.

NAME is ``lowest`` (the lowest versions that ``pyproject.toml`` allows), ``newest`` (what the index
has), or an OpenStack release whose constraints lie in this folder. Each has an environment of its
own below ``.cache``; options after ``--`` go to pytest.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.releases.lowest import lowest_constraints

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = Path(__file__).parent

_PYTHONS: Final = ("python3.11", "python3.12", "python3.13", "python3.14", "python3")
"""The stated ones, the oldest first: each release in this folder supports that one too."""

_EXTRAS: Final = "freezer,storages,restic,sql,cli,contract,karbor"

# What can tell one library from another, without a server: a few minutes.
_QUICK: Final = (
    "tests/backends",
    "tests/cli/test_commands.py",
    "tests/cli/test_bad_input.py",
    "tests/contract/test_pytest_suite.py",
    "tests/releases",
)

# What needs the linters and the page generator, which no release's environment has.
_WITHOUT_DEV: Final = ("--ignore=tests/core/test_typing.py", "--ignore=tests/pages/test_api.py")


def main(arguments: Sequence[str]) -> int:
    """Make the environment, run the tests in it, and return pytest's exit status."""
    options = _build_parser().parse_args(arguments)
    interpreter = options.python or _find_oldest_python()
    try:
        python = _ensure_environment(options.name, interpreter)
    except subprocess.CalledProcessError as error:
        print(f"The environment of {options.name} could not be made: {error}", file=sys.stderr)
        return 1
    version = subprocess.run([python, "--version"], check=True, capture_output=True, text=True)
    print(f"Tests with the libraries of {options.name} on {version.stdout.strip()}", flush=True)
    wanted = options.tests or (_QUICK if options.quick else ("tests",))
    return subprocess.run(
        [python, "-m", "pytest", "-q", "-n", "2", *_WITHOUT_DEV, *wanted], cwd=ROOT, check=False
    ).returncode


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.releases", description=__doc__)
    releases = sorted(path.stem for path in FOLDER.glob("*.txt"))
    parser.add_argument("name", choices=["lowest", "newest", *releases], metavar="NAME")
    parser.add_argument("--python", help="the interpreter; default: the oldest that is found")
    parser.add_argument("--quick", action="store_true", help="only tests that need no server")
    parser.add_argument("tests", nargs="*", help="pytest's arguments, after --")
    return parser


def _find_oldest_python() -> str:
    for name in _PYTHONS:
        program = shutil.which(name)
        if program and _is_python(program):
            return program
    return sys.executable


def _is_python(program: str) -> bool:
    """Whether it is a Python; pyenv has programs of that name for versions that are not chosen."""
    command = [program, "-c", "import venv"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _ensure_environment(name: str, interpreter: str) -> Path:
    """Return the Python of an environment with those libraries, made or brought up to date."""
    version = subprocess.run(
        [interpreter, "-c", "import platform; print(platform.python_version())"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    home = ROOT / ".cache" / "releases" / f"{name}-{version}"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([interpreter, "-m", "venv", "--clear", home], check=True)
    # The groups of pyproject.toml are known to pip since 25.1; this environment's own may be older.
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--upgrade"]
    limits = ["--constraint", str(_write_constraints(name, home))] if name != "newest" else []
    what = ["--group", "test", "--editable", f".[{_EXTRAS}]"]
    subprocess.run([*pip, *limits, *what], cwd=ROOT, check=True)
    return python


def _write_constraints(name: str, home: Path) -> Path:
    if name != "lowest":
        return FOLDER / f"{name}.txt"
    path = home / "constraints.txt"
    path.write_text("\n".join([*lowest_constraints(ROOT / "pyproject.toml"), ""]))
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
