"""The servers' databases, initialised once per environment and copied into each instance.

The migrations and Keystone's bootstrap take six seconds, which every sandbox would spend anew.
"""

import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import attrs

from sandbox.accounts import REGION, write_secret
from sandbox.environments import Environment, Report
from sandbox.errors import BuildError
from sandbox.keys import make_keys
from sandbox.layout import lock

BOOTSTRAP_USER = "bootstrap"
"""The administrator in a copied database; each instance replaces it with users of its own."""

_LOG_TAIL = 25


@attrs.frozen
class Databases:
    """Initialised databases to copy."""

    home: Path

    @property
    def keystone(self) -> Path:
        """Keystone's: the default domain, the default roles, one region, one administrator."""
        return self.home / "keystone.db"

    @property
    def freezer(self) -> Path:
        """The Freezer API's: empty."""
        return self.home / "freezer.db"

    @property
    def bootstrap_password(self) -> str:
        """The password of `BOOTSTRAP_USER`."""
        return (self.home / "bootstrap-password").read_text()


def database_url(path: Path) -> str:
    """Return SQLAlchemy's URL of a database; a writer waits half a minute for another's end."""
    return f"sqlite:///{path}?timeout=30"


def databases(environment: Environment, report: Report) -> Databases:
    """Return the environment's databases, made first unless they are there.

    Raises:
        BuildError: a command of Keystone or Freezer failed; the text says how.
    """
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    made = Databases(environment.path / f"databases-{recipe}")
    with lock(environment.path / "databases.lock"):
        if not made.home.exists():
            report("Initialising the databases; they are kept for the next time.")
            draft = Databases(made.home.with_suffix(".draft"))
            shutil.rmtree(draft.home, ignore_errors=True)
            draft.home.mkdir()
            _make_keystone(environment, draft)
            _make_freezer(environment, draft)
            draft.home.rename(made.home)
    return made


def _make_keystone(environment: Environment, draft: Databases) -> None:
    configuration = draft.home / "keystone.conf"
    configuration.write_text(
        f"[database]\nconnection = {database_url(draft.keystone)}\n{make_keys(draft.home)}"
    )
    password = secrets.token_hex(16)
    write_secret(draft.home / "bootstrap-password", password)
    manage = [str(environment.bin / "keystone-manage"), "--config-file", str(configuration)]
    _run([*manage, "db_sync"], draft)
    bootstrap = [f"--bootstrap-username={BOOTSTRAP_USER}", f"--bootstrap-region-id={REGION}"]
    _run([*manage, "bootstrap", *bootstrap], draft, OS_BOOTSTRAP_PASSWORD=password)
    _write_ahead(draft.keystone)


def _make_freezer(environment: Environment, draft: Databases) -> None:
    configuration = draft.home / "freezer-api.conf"
    configuration.write_text(f"[database]\nconnection = {database_url(draft.freezer)}\n")
    manage = [str(environment.bin / "freezer-manage"), "--config-file", str(configuration)]
    _run([*manage, "db", "sync"], draft)
    _write_ahead(draft.freezer)


def _write_ahead(database: Path) -> None:
    """Let readers and a writer work at once; SQLite remembers this in the file."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _run(command: list[str], draft: Databases, **environ: str) -> None:
    done = subprocess.run(
        command,
        env={
            "PATH": os.defpath,
            "HOME": str(draft.home),
            "PYTHONWARNINGS": "ignore",
            **environ,
        },
        cwd=draft.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_TAIL:])
        raise BuildError(f"{' '.join(command)} failed.\n{tail}")
