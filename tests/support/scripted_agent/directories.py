"""Mode ``fs``: directories, as tar archives that are not compressed."""

import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from tests.support.scripted_agent.modes import AgentError, AgentHost, EngineFolder


@attrs.frozen
class DirectoryMode:
    """Mode ``fs``.

    Attributes:
        host: where the agent works.
    """

    host: AgentHost

    def back_up(self, action: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
        """Store a directory.

        Raises:
            AgentError: there is none.
        """
        source = Path(action["path_to_backup"])
        if not source.is_dir():
            raise AgentError(f"Path to backup does not exist {source}")
        backup = self._engine_folder(action).new_backup()
        backup.data_file.parent.mkdir(parents=True)
        with tarfile.open(backup.data_file, "w") as archive:
            archive.add(source, ".")
        if whole:
            backup.write_metadata({}, {"engine_name": "tar"})
        return {}

    def restore(self, action: Mapping[str, str], *, whole: bool) -> None:
        """Bring the newest backup back; an agent removes what it writes over.

        Raises:
            AgentError: there is no backup, or the directory is not empty and not to be overwritten.
        """
        backup = self._engine_folder(action).newest_backup()
        target = Path(action["restore_abs_path"])
        if target.is_dir() and any(target.iterdir()) and action.get("overwrite") != "True":
            raise AgentError(f"Restore dir is not empty: {target}")
        if not whole:
            return
        if target.is_dir():
            shutil.rmtree(target)
        with tarfile.open(backup.data_file) as archive:
            # The archive is this agent's own, and modes and links are to come back as they were. An
            # attribute, since Python 3.11.0 to 3.11.3 know no argument `filter`.
            archive.extraction_filter = lambda member, _: member
            archive.extractall(target)  # noqa: S202

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove the backups that were finished."""
        for backup in self._engine_folder(action).finished_backups():
            for folder in backup.folders:
                shutil.rmtree(folder)

    def _engine_folder(self, action: Mapping[str, str]) -> EngineFolder:
        path = f"tar/{self.host.backup_name(action)}"
        return EngineFolder(self.host.container_folder(action), path)
