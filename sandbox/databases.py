"""The servers' databases, initialised once per environment and copied into each instance.

The migrations and Keystone's bootstrap take six seconds, which every sandbox would spend anew.
"""

import hashlib
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

import attrs

from sandbox.accounts import REGION, write_secret
from sandbox.environments import Environment, Report
from sandbox.keystone_keys import make_keys
from sandbox.layout import file_lock
from sandbox.subprocesses import run_checked

DatabaseKind = Literal["sqlite", "mariadb"]
"""What the Freezer API keeps its jobs in."""

BOOTSTRAP_USER = "bootstrap"
"""The administrator in a copied database; each instance replaces it with users of its own."""


@attrs.frozen
class DatabaseTemplates:
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


def ensure_databases(environment: Environment, report: Report) -> DatabaseTemplates:
    """Return the environment's databases, made first unless they are there.

    Raises:
        BuildError: a command of Keystone or Freezer failed; the text says how.
    """
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    templates = DatabaseTemplates(environment.path / f"databases-{recipe}")
    with file_lock(environment.path / "databases.lock"):
        if not templates.home.exists():
            report("Initialising the databases; they are kept for the next time.")
            draft = DatabaseTemplates(templates.home.with_suffix(".draft"))
            shutil.rmtree(draft.home, ignore_errors=True)
            draft.home.mkdir()
            _make_keystone(environment, draft)
            _make_freezer(environment, draft)
            draft.home.rename(templates.home)
    return templates


def sync_freezer(environment: Environment, directory: Path, url: str) -> None:
    """Make the Freezer API's tables.

    Args:
        environment: what Freezer is installed in.
        directory: where a configuration is written.
        url: SQLAlchemy's, of an empty database.

    Raises:
        BuildError: `freezer-manage` failed; the text says how.
    """
    configuration = directory / "freezer-api.conf"
    write_secret(configuration, f"[database]\nconnection = {url}\n")
    manage = [str(environment.bin / "freezer-manage"), "--config-file", str(configuration)]
    run_checked([*manage, "db", "sync"], directory)


def _make_keystone(environment: Environment, draft: DatabaseTemplates) -> None:
    configuration = draft.home / "keystone.conf"
    configuration.write_text(
        f"[database]\nconnection = {database_url(draft.keystone)}\n{make_keys(draft.home)}"
    )
    password = secrets.token_hex(16)
    write_secret(draft.home / "bootstrap-password", password)
    manage = [str(environment.bin / "keystone-manage"), "--config-file", str(configuration)]
    run_checked([*manage, "db_sync"], draft.home)
    bootstrap = [f"--bootstrap-username={BOOTSTRAP_USER}", f"--bootstrap-region-id={REGION}"]
    run_checked([*manage, "bootstrap", *bootstrap], draft.home, {"OS_BOOTSTRAP_PASSWORD": password})
    _enable_wal(draft.keystone)


def _make_freezer(environment: Environment, draft: DatabaseTemplates) -> None:
    sync_freezer(environment, draft.home, database_url(draft.freezer))
    _enable_wal(draft.freezer)


def _enable_wal(database: Path) -> None:
    """Let readers and a writer work at once; SQLite remembers this in the file."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
