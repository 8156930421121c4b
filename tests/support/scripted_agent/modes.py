"""What all modes of an agent have in common."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs


class AgentError(Exception):
    """The agent ends with an error, where a real one would."""


class AgentMode(Protocol):
    """One of an agent's modes. Actions are given as they were read.

    What a service of the cloud refuses is raised in its words, as a ``HTTPException``.
    """

    def back_up(self, action: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
        """Store something; return what the record of it says beside the action.

        Args:
            action: the action.
            whole: whether the backup is finished, or left half done.

        Raises:
            AgentError: it cannot be done.
        """

    def restore(self, action: Mapping[str, str], *, whole: bool) -> None:
        """Bring the newest backup back; arguments and errors are as for a backup."""

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove what was stored, as far as a real agent sees it.

        Raises:
            AgentError: it cannot be done.
        """


@attrs.frozen
class AgentHost:
    """Where an agent works.

    Attributes:
        name: the host's name, for actions that give none.
        storage: the folder of the containers on storages that are not local.
    """

    name: str
    storage: Path

    def container_folder(self, action: Mapping[str, str]) -> Path:
        """Return the folder of an action's container. Every kind of storage is a folder here."""
        if action["storage"] == "local":
            return Path(action["container"])
        return self.storage / action["container"].removeprefix("/")

    def backup_name(self, action: Mapping[str, str]) -> str:
        """Return the name that an agent stores a backup under."""
        return f"{action.get('hostname', self.name)}_{action['backup_name']}"


def temporary_name(action: Mapping[str, str], name: str) -> str:
    """Return the name of a temporary thing."""
    return f"{action.get('temp_resource_prefix', 'freezer_')}{name}"


def next_timestamp(known: list[str]) -> str:
    """Return the time for a new backup beside others; a later one is newer, also in a second."""
    return str(max([int(time.time()), *(int(each) + 1 for each in known)]))


def list_names(folder: Path) -> list[str]:
    """Return the names of all that is in a folder, which need not be there."""
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


@attrs.frozen
class EngineFolder:
    """Where the backups of one resource by an engine are, as freezer's storage/base.py has it.

    Attributes:
        container: the container's folder.
        path: engine, backup name and, of a cloud resource, its id.
    """

    container: Path
    path: str

    def new_backup(self) -> "EngineBackup":
        """Return the place of a new backup."""
        known = list_names(self.container / "data" / self.path)
        return EngineBackup(self.container, self.path, next_timestamp(known))

    def finished_backups(self) -> "list[EngineBackup]":
        """Return the backups that were finished: an agent finds no other one; oldest first."""
        names = list_names(self.container / "metadata" / self.path)
        return [EngineBackup(self.container, self.path, each) for each in sorted(names, key=int)]

    def newest_backup(self) -> "EngineBackup":
        """Return the newest backup.

        Raises:
            AgentError: there is none.
        """
        if not (finished := self.finished_backups()):
            raise AgentError(f'No matching backup name "{self.path}" found')
        return finished[-1]


@attrs.frozen
class EngineBackup:
    """One backup by an engine.

    Attributes:
        container: the container's folder.
        path: that of its `EngineFolder`.
        stamp: its time.
    """

    container: Path
    path: str
    timestamp: str

    @property
    def data_file(self) -> Path:
        """The file with the data."""
        return self._folder("data") / "data"

    def write_metadata(self, engine_notes: Any, notes: Any) -> None:
        """Write the notes without which no agent finds the backup."""
        (self._folder("data") / "engine_metadata").write_text(json.dumps(engine_notes))
        self._folder("metadata").mkdir(parents=True)
        (self._folder("metadata") / "metadata").write_text(json.dumps(notes))

    @property
    def resource_metadata(self) -> Any:
        """What was noted of the resource."""
        return json.loads((self._folder("metadata") / "metadata").read_text())

    @property
    def folders(self) -> list[Path]:
        """All that belongs to it."""
        return [self.container / kind / self.path / self.timestamp for kind in ("metadata", "data")]

    def _folder(self, kind: str) -> Path:
        return self.container / kind / self.path / self.timestamp / f"0_{self.timestamp}"
