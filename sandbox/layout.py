"""Where a sandbox keeps what: the cache of environments, and one directory per instance."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import attrs
from filelock import FileLock, Timeout

from sandbox.errors import SandboxError

LOCK_TIMEOUT = 600.0
"""Seconds to wait for another process that is at a sandbox or an environment."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NAME_RULE = "use small letters, digits, '-' and '_', at most 64"


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock file, its directory made; one thread may take it again while it has it.

    It is free again when its process has ended.

    Raises:
        SandboxError: another process has held it for ten minutes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A singleton, since only the same object can be taken again.
    held = FileLock(path, timeout=LOCK_TIMEOUT, is_singleton=True)
    try:
        held.acquire()
    except Timeout as error:
        raise SandboxError(
            f"Another process has been at this for {LOCK_TIMEOUT:g} seconds: it holds {path}"
        ) from error
    try:
        yield
    finally:
        held.release()


def _resolve(path: Path) -> Path:
    return path.resolve()


@attrs.frozen
class Project:
    """The checkout that the sandbox belongs to. Everything it writes is in two ignored folders."""

    root: Path = attrs.field(converter=_resolve)

    @property
    def environments(self) -> Path:
        """Where the servers' environments are cached; a link leads to another checkout's."""
        # They hold the path at which they were built, so it is the real one that tells them apart.
        return (self.root / ".cache" / "envs").resolve()

    @property
    def sandboxes(self) -> Path:
        """Where the instances live."""
        return self.root / ".sandbox"

    def lock(self) -> AbstractContextManager[None]:
        """Return the lock that whoever brings an instance up or down holds."""
        return file_lock(self.sandboxes / ".lock")

    def instance(self, name: str) -> "Layout":
        """Return the layout of the instance `name`.

        Raises:
            SandboxError: the name cannot be a directory's.
        """
        if not _NAME.fullmatch(name):
            raise SandboxError(f"{name!r} cannot name an instance: {_NAME_RULE}")
        return Layout(name=name, home=self.sandboxes / name)

    def instances(self) -> Iterator["Layout"]:
        """Yield the layout of every instance that has left anything, whether it runs or not."""
        if self.sandboxes.is_dir():
            for home in sorted(self.sandboxes.iterdir()):
                if home.is_dir() and _NAME.fullmatch(home.name):
                    yield Layout(name=home.name, home=home)


@attrs.frozen
class Layout:
    """The directory of one instance."""

    name: str
    home: Path

    @property
    def state(self) -> Path:
        """The description of an instance that is up; it is written last."""
        return self.home / "state.json"

    @property
    def clouds_yaml(self) -> Path:
        """The credentials, as every OpenStack tool reads them."""
        return self.home / "clouds.yaml"

    @property
    def config_toml(self) -> Path:
        """The configuration for `karbor-backup`."""
        return self.home / "config.toml"

    @property
    def records(self) -> Path:
        """One file per started server."""
        return self.home / "run"

    @property
    def configuration(self) -> Path:
        """The servers' configuration files and keys."""
        return self.home / "etc"

    @property
    def data(self) -> Path:
        """Databases, and what the optional servers store."""
        return self.home / "data"

    @property
    def logs(self) -> Path:
        """One log file per server."""
        return self.home / "logs"

    @property
    def storage(self) -> Path:
        """The place for backups on storage kind `local`."""
        return self.home / "storage"

    @property
    def taps(self) -> Path:
        """One empty file per network device of the machine's that may have been made for it."""
        return self.home / "taps"

    def scheduler(self, client_id: str) -> Path:
        """Return what is HOME to one scheduler and its agents, which leave secrets there.

        Raises:
            SandboxError: the client id cannot be a directory's name.
        """
        if not _NAME.fullmatch(client_id):
            raise SandboxError(f"{client_id!r} cannot name a scheduler: {_NAME_RULE}")
        return self.home / "schedulers" / client_id

    def make(self) -> None:
        """Make the directories, for the owner's eyes only: much of it is secret."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self.records, self.configuration, self.data, self.logs, self.storage):
            path.mkdir(exist_ok=True)
