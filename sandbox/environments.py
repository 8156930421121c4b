"""The servers' own virtual environments, built once from pinned requirements and cached.

They are kept out of the project's environment because OpenStack's servers pin half of PyPI.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

from sandbox.errors import BuildError
from sandbox.layout import Project, file_lock

Report = Callable[[str], None]
"""Is told, in a line for people, what is being done."""

REQUIREMENTS = Path(__file__).parent / "requirements"
_LOG_TAIL = 25


@attrs.frozen
class Environment:
    """A finished virtual environment."""

    path: Path

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return self.path / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.bin / "python"

    @property
    def templates(self) -> Path:
        """Where initialised databases are kept beside it, to be copied into each instance."""
        return self.path / "templates"


def ensure_environment(
    project: Project, name: str, report: Report, *, requirements: Path = REQUIREMENTS
) -> Environment:
    """Return the environment `name`, built first unless it is cached.

    Args:
        project: whose cache it is kept in.
        name: of the files `<name>.in` (what is wanted) and `<name>.txt` (all that comes with it,
            pinned).
        report: is told about a build, which takes half a minute.
        requirements: the directory with those files.

    Raises:
        BuildError: pip could not install it, or the servers could not run from there; the text
            says why.
    """
    if re.search(r"\s", str(project.root)):
        # freezer-scheduler 19.0.0 splits the command line of its agent at blanks.
        raise BuildError(
            f"{str(project.root)!r} has a blank in its path, which Freezer's scheduler cannot run "
            "its agent from: move the checkout to a path without blanks"
        )
    files = (requirements / f"{name}.in", requirements / f"{name}.txt")
    home = project.environments / f"{name}-{_fingerprint(project, files)}"
    finished = home / ".finished"
    with file_lock(project.environments / f"{name}.lock"):
        if not finished.exists():
            report(f"Building the environment {name!r}; it is kept for the next time.")
            # What an interrupted build has left. It cannot be built elsewhere and moved here: the
            # programs of an environment hold its path.
            shutil.rmtree(home, ignore_errors=True)
            _build_environment(home, *files)
            finished.touch()
    return Environment(home)


def _fingerprint(project: Project, files: Iterable[Path]) -> str:
    """Return what distinguishes an environment: its requirements, interpreter and place."""
    digest = hashlib.sha256(f"{sys.version}\n{project.environments}\n".encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _build_environment(home: Path, wanted: Path, pinned: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", str(home)], wanted.stem)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-input"]
    what = ["--requirement", str(wanted), "--constraint", str(pinned)]
    _run([*pip, *install, *what], wanted.stem)


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_TAIL:])
        raise BuildError(
            f"The environment {name!r} could not be built: {' '.join(command)} failed.\n{tail}"
        )
