"""Mode ``glance``: images."""

import shutil
from collections.abc import Mapping
from typing import Any

import attrs

from tests.support.scripted_agent.modes import AgentError, AgentHost, EngineFolder
from tests.support.scripted_cloud import images
from tests.support.scripted_cloud.state import CloudState


@attrs.frozen
class ImageMode:
    """Mode ``glance``.

    Attributes:
        host: where the agent works.
        state: what there is in the cloud.
        project: the id of the project that the agent works for.
    """

    host: AgentHost
    state: CloudState
    project: str

    def back_up(self, action: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
        """Store an image."""
        image = self.state.images.get(action["glance_image_id"], self.project)
        path = f"{self.host.backup_name(action)}/{image.id}"
        backup = self._engine_folder(action, path).new_backup()
        backup.data_file.parent.mkdir(parents=True)
        backup.data_file.write_bytes(image.content.ljust(image.shown["size"], b"\0"))
        if whole:
            length = str(image.shown["size"])
            notes = {"engine_name": "glance", "image": image.shown}
            backup.write_metadata({"image_name": image.name, "length": length}, notes)
        return {}

    def restore(self, action: Mapping[str, str], *, whole: bool) -> None:
        """Make a new image of the newest backup, without the old one's properties."""
        path = f"{self.host.backup_name(action)}/{action['glance_image_id']}"
        backup = self._engine_folder(action, path).newest_backup()
        shown = backup.resource_metadata["image"]
        formats = {name: shown[name] for name in ("container_format", "disk_format")}
        asked = {"name": f"{shown['name']}~{backup.timestamp}", **formats}
        image = images.new_image(self.state, self.project, asked)
        if whole:
            images.fill_image(image, backup.data_file.read_bytes())

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove the backups that were finished.

        Raises:
            AgentError: the backup name lacks the image's id, which freezer 19.0.0 forgets here.
        """
        path = self.host.backup_name(action)
        if not path.endswith(f"/{action['glance_image_id']}"):
            raise AgentError("invalid literal for int() with base 10")
        for backup in self._engine_folder(action, path).finished_backups():
            for folder in backup.folders:
                shutil.rmtree(folder)

    def _engine_folder(self, action: Mapping[str, str], path: str) -> EngineFolder:
        return EngineFolder(self.host.container_folder(action), f"glance/{path}")
