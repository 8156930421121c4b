"""Mode ``glance``: images."""

import shutil
from collections.abc import Mapping
from typing import Any

import attrs

from sandbox.scripted_agent.modes import AgentError, EngineFolder, Host
from sandbox.scripted_cloud import images
from sandbox.scripted_cloud.world import World


@attrs.frozen
class Images:
    """Mode ``glance``.

    Attributes:
        host: where the agent works.
        world: what there is in the cloud.
        project: the id of the project that the agent works for.
    """

    host: Host
    world: World
    project: str

    def back_up(self, action: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
        """Store an image."""
        image = self.world.images.get(action["glance_image_id"], self.project)
        path = f"{self.host.backup_name(action)}/{image.id}"
        backup = self._folder(action, path).new()
        backup.data.parent.mkdir(parents=True)
        backup.data.write_bytes(image.content.ljust(image.shown["size"], b"\0"))
        if whole:
            length = str(image.shown["size"])
            notes = {"engine_name": "glance", "image": image.shown}
            backup.finish({"image_name": image.name, "length": length}, notes)
        return {}

    def restore(self, action: Mapping[str, str], *, whole: bool) -> None:
        """Make a new image of the newest backup, without the old one's properties."""
        path = f"{self.host.backup_name(action)}/{action['glance_image_id']}"
        backup = self._folder(action, path).newest()
        shown = backup.notes["image"]
        formats = {name: shown[name] for name in ("container_format", "disk_format")}
        asked = {"name": f"{shown['name']}~{backup.stamp}", **formats}
        image = images.new_image(self.world, self.project, asked)
        if whole:
            images.fill_image(image, backup.data.read_bytes())

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove the backups that were finished.

        Raises:
            AgentError: the backup name lacks the image's id, which freezer 19.0.0 forgets here.
        """
        path = self.host.backup_name(action)
        if not path.endswith(f"/{action['glance_image_id']}"):
            raise AgentError("invalid literal for int() with base 10")
        for backup in self._folder(action, path).finished():
            for folder in backup.folders:
                shutil.rmtree(folder)

    def _folder(self, action: Mapping[str, str], path: str) -> EngineFolder:
        return EngineFolder(self.host.container(action), f"glance/{path}")
