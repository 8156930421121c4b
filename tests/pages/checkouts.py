"""Copies of this checkout, in which ``make`` finds its environments made."""

import shutil
import sys
from pathlib import Path
from typing import Final, Self

import attrs

from tests.support.wheels import ROOT

_MADE: Final = (
    ".git",
    ".venv",
    ".cache",
    ".sandbox",
    ".*_cache",
    ".hypothesis",
    "build",
    "dist",
    "demo-work",
    "__pycache__",
)
"""What a checkout that was worked in holds beside its sources."""


@attrs.frozen
class Checkout:
    """A copy of the checkout, as somebody else has it.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @classmethod
    def copied(cls, folder: Path) -> Self:
        """Copy the sources, and let the copy use the environments that are made already.

        ``.venv`` is a folder of the copy's own whose content is that of the environment in which
        the tests run, with the stamp by which ``make`` knows that nothing is to be installed.
        """
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*_MADE), symlinks=True)
        environment = folder / ".venv"
        environment.mkdir()
        for name in ("bin", "lib", "pyvenv.cfg"):
            (environment / name).symlink_to(Path(sys.prefix, name))
        (environment / ".installed").touch()
        (folder / ".cache").mkdir()
        servers = ROOT / ".cache" / "envs"
        servers.mkdir(parents=True, exist_ok=True)
        (folder / ".cache" / "envs").symlink_to(servers)
        return cls(folder)
