"""Karbor's environments: a Karbor to run the project's plugins in.

Both have this checkout installed, editable, so that Karbor finds the plugins by entry points.
"""

import hashlib
import subprocess
import sys
from typing import Final

from sandbox.environments import Environment, Report, ensure_environment
from sandbox.errors import BuildError
from sandbox.layout import Project, file_lock

VERSION: Final = "1.6.0"
"""The last Karbor there is."""


def services(project: Project, report: Report) -> Environment:
    """Return the environment with all of Karbor's services, on the versions that they need.

    Raises:
        BuildError: pip could not install it; the text says why.
    """
    return _with_checkout(project, ensure_environment(project, "karbor", report))


def newest(project: Project, report: Report) -> Environment:
    """Return the environment with Karbor's protection service on the newest dependencies.

    What needs Karbor's database does not import there.

    Raises:
        BuildError: pip could not install it; the text says why.
    """
    return _with_checkout(
        project, ensure_environment(project, "karbor-newest", report), f"karbor=={VERSION}"
    )


def _with_checkout(project: Project, built: Environment, *packages: str) -> Environment:
    """Add the checkout and further packages, without what these require, if they are not there."""
    metadata = (project.root / "pyproject.toml").read_bytes()
    wanted = hashlib.sha256(metadata).hexdigest()
    stamp = built.path / ".checkout"
    with file_lock(built.path.with_suffix(".checkout.lock")):
        if not stamp.exists() or stamp.read_text() != wanted:
            _install(built, [*packages, "--editable", str(project.root)])
            stamp.write_text(wanted)
    return built


def _install(built: Environment, what: list[str]) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(built.python), "install", "--quiet"]
    options = ["--no-deps", "--no-input", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, *options, *what],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"{' '.join(what)} could not be installed:\n{done.stderr}")
