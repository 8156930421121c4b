"""The program restic: the machine's own, or one unpacked from Debian's package."""

import shutil
from pathlib import Path

from sandbox import debian_packages
from sandbox.environments import Report
from sandbox.layout import Project

_PACKAGES = ("restic",)


def find_restic(project: Project, report: Report) -> Path:
    """Return the program, fetched if the machine has none.

    Raises:
        MissingProgramError: there is none, and none could be fetched.
    """
    if installed := shutil.which("restic"):
        return Path(installed)
    return debian_packages.unpack_packages(project, _PACKAGES, report) / "usr" / "bin" / "restic"
