"""Programs from Debian's packages, unpacked into the cache: nothing is installed on the machine."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.environments import Report
from sandbox.errors import MissingProgramError
from sandbox.layout import Project, file_lock

_LOG_TAIL = 10


def unpack_packages(project: Project, packages: Sequence[str], report: Report) -> Path:
    """Return the directory that packages are unpacked in, as if it were the root directory.

    Unlike an installation this needs no privileges, and starts no service on the machine.

    Raises:
        MissingProgramError: this is no Debian, or apt-get could not fetch them.
    """
    fingerprint = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    cache = project.environments
    home = cache / f"debian-{fingerprint}"
    with file_lock(cache / "debian.lock"):
        if not home.exists():
            report(f"Unpacking {', '.join(packages)}; they are kept for the next time.")
            draft = home.with_suffix(".draft")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            _download(packages, draft)
            for package in draft.glob("*.deb"):
                _run(["dpkg-deb", "--extract", package.name, "."], draft, packages)
                package.unlink()
            draft.rename(home)
    return home


def _download(packages: Sequence[str], directory: Path) -> None:
    download = ["apt-get", "--quiet", "download", *packages]
    try:
        _run(download, directory, packages)
    except MissingProgramError:
        # A machine's lists of packages may be missing or old, and only root may renew them.
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "--quiet", "update"], directory, packages)
        _run(download, directory, packages)


def _run(command: list[str], directory: Path, packages: Sequence[str]) -> None:
    remedy = f"Install it by hand (Debian: apt-get install {packages[0]})."
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise MissingProgramError(f"{packages[0]} is missing: {error}. {remedy}") from error
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_TAIL:])
        raise MissingProgramError(
            f"{packages[0]} is missing, and {' '.join(command)} failed. {remedy}\n{tail}"
        )
