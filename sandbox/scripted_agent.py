"""An agent's part, played on real files: what ``freezer-agent`` stores, brings back and removes.

Directories are copied as they are. A server, a volume or a project is a directory that stands for
it, since there is no Nova here; what Nova, Cinder and Glance do beside is not played. Every kind of
storage is a folder.
"""

import configparser
import io
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

ID_FIELDS: Final = ("nova_inst_id", "cinder_vol_id", "project_id")
"""The fields by which an action names what is no directory."""

VERSION: Final = "19.0.0"


class AgentError(Exception):
    """The agent ends with an error, where a real one would."""


def as_read(action: Mapping[str, Any]) -> dict[str, str]:
    """Return an action as an agent reads it, out of the ini file that a scheduler writes.

    Raises:
        ValueError: the scheduler cannot write it; in a real one a thread ends there, for ever.
    """
    written = configparser.ConfigParser()
    written.add_section("action")
    for field, value in action.items():
        if value is not None:
            written.set("action", field, str(value))
    text = io.StringIO()
    written.write(text)
    read = configparser.ConfigParser()
    read.read_string(text.getvalue())
    return dict(read["action"])


@attrs.frozen
class ScriptedAgent:
    """Does what actions say.

    Attributes:
        storage: the folder of the containers on storages that are not local.
        cloud: the folder of what stands for cloud resources, as FIELD/ID.
        hostname: the host's name, for actions that give none.
    """

    storage: Path
    cloud: Path
    hostname: str

    def back_up(self, action: Mapping[str, str], *, whole: bool = True) -> dict[str, Any]:
        """Store a directory, or what stands for a cloud resource.

        Args:
            action: as it was read.
            whole: whether the backup is finished, or left as data that nothing tells of.

        Returns:
            What a real agent prints, which becomes Freezer's record of the backup.

        Raises:
            AgentError: there is nothing to store.
        """
        source = self._resource(action)
        if not source.is_dir():
            raise AgentError(f"there is no {source}")
        data, notes = self._places(action)
        # A later backup is a newer one, also within a second.
        stamp = max([int(time.time()), *(int(path.name) + 1 for path in data.glob("*"))])
        shutil.copytree(source, data / str(stamp), symlinks=True)
        if whole:
            notes.mkdir(parents=True, exist_ok=True)
            (notes / str(stamp)).touch()
        return {
            **action,
            "hostname": action.get("hostname", self.hostname),
            "client_version": VERSION,
            "curr_backup_level": 0,
            "time_stamp": stamp,
        }

    def restore(self, action: Mapping[str, str]) -> Path:
        """Bring the newest backup back, and return where; a cloud resource is made anew.

        Raises:
            AgentError: there is no backup, or the directory is not empty and not to be overwritten.
        """
        data, notes = self._places(action)
        finished = _finished(notes)
        if not finished:
            raise AgentError(f"there is no backup in {data}")
        target = self._target(action)
        if target.is_dir() and any(target.iterdir()):
            if action.get("overwrite") != "True":
                raise AgentError(f"{target} is not empty")
            shutil.rmtree(target)
        shutil.copytree(data / max(finished), target, symlinks=True, dirs_exist_ok=True)
        return target

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove the backups; as a real agent, see only those that were finished."""
        data, notes = self._places(action)
        for stamp in _finished(notes):
            shutil.rmtree(data / stamp)
            (notes / stamp).unlink()

    def _resource(self, action: Mapping[str, str]) -> Path:
        for field in ID_FIELDS:
            if field in action:
                return self.cloud / field / action[field]
        return Path(action["path_to_backup"])

    def _target(self, action: Mapping[str, str]) -> Path:
        if "restore_abs_path" in action:
            return Path(action["restore_abs_path"])
        return self._resource(action).with_name(uuid.uuid4().hex)

    def _places(self, action: Mapping[str, str]) -> tuple[Path, Path]:
        """Return where a backup's data is, and where the notes are that it is finished."""
        container = self.storage / action["container"].removeprefix("/")
        if action["storage"] == "local":
            container = Path(action["container"])
        name = f"{action.get('hostname', self.hostname)}_{action['backup_name']}"
        return container / "data" / name, container / "metadata" / name


def _finished(notes: Path) -> list[str]:
    return [note.name for note in notes.iterdir()] if notes.is_dir() else []
