"""Modes ``cinder`` and ``cindernative``: volumes, through images and by Cinder itself."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from tests.support.scripted_agent.modes import (
    AgentError,
    AgentHost,
    list_names,
    next_timestamp,
    temporary_name,
)
from tests.support.scripted_cloud import block_storage, images, volume_backups
from tests.support.scripted_cloud.state import CloudState, FakeResource

_CONTENT_LIMIT: Final = 2**16
"""How much of a stored volume is looked at: the rest is zeros."""


@attrs.frozen
class VolumeMode:
    """Mode ``cinder``: a snapshot, a volume of it and an image of that, which is stored.

    Attributes:
        host: where the agent works.
        state: what there is in the cloud.
        project: the id of the project that the agent works for.
    """

    host: AgentHost
    state: CloudState
    project: str

    def back_up(self, action: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
        """Store a volume; what was made for it stays in the cloud if it is left half done.

        If it is whole, the agent has asked for its removal, and has not waited for that.
        """
        volume = self.state.volumes.get(action["cinder_vol_id"], self.project)
        folder = self._volume_folder(action)
        package = folder / next_timestamp(list_names(folder))
        package.mkdir(parents=True)
        size = volume.shown["size"] * block_storage.GIB
        remove = self._make_temporary_resources(volume, action)
        if not whole:
            _write_sparse(package / volume.id, volume.content, len(volume.content))
            return {}
        _write_sparse(package / volume.id, volume.content, size)
        notes = {
            "x-object-meta-length": str(size),
            "volume_name": volume.name or volume.id,
            "availability_zone": volume.shown["availability_zone"],
        }
        (package / "metadata").write_text(json.dumps(notes))
        remove()
        return {}

    def restore(self, action: Mapping[str, str], *, whole: bool) -> None:
        """Make a new volume of the newest backup; one that is left half done is in error."""
        folder = self._volume_folder(action)
        if not (known := sorted(list_names(folder), key=int)):
            raise AgentError(f"Cannot find backups for path: {folder}")
        package = folder / known[-1]
        data, notes = package / folder.name, json.loads((package / "metadata").read_text())
        image = images.new_image(
            self.state,
            self.project,
            {
                "name": temporary_name(action, f"restore_{folder.name}"),
                "container_format": "bare",
                "disk_format": "raw",
            },
        )
        images.fill_image(image, _read_sparse(data), data.stat().st_size)
        gib = -(-int(notes["x-object-meta-length"]) // block_storage.GIB)
        name = f"{notes['volume_name']}~{known[-1]}"
        with self.state.without_delay():
            asked = {"name": name, "size": gib, "imageRef": image.id}
            volume = block_storage.new_volume(self.state, self.project, asked)
        if whole:
            self.state.images.remove(image)
        else:
            volume.shown["status"] = "error"

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove all that was stored of a volume, finished or not."""
        folder = self._volume_folder(action)
        for name in list_names(folder):
            shutil.rmtree(folder / name)

    def _volume_folder(self, action: Mapping[str, str]) -> Path:
        return self.host.container_folder(action) / action["cinder_vol_id"]

    def _make_temporary_resources(
        self, volume: FakeResource, action: Mapping[str, str]
    ) -> Callable[[], None]:
        """Make what a backup makes on its way, and return what asks for its removal."""
        name = temporary_name(action, f"backup_{volume.id}")
        with self.state.without_delay():
            asked: dict[str, Any] = {"volume_id": volume.id, "name": name}
            snapshot = block_storage.new_snapshot(self.state, self.project, asked)
            asked = {"snapshot_id": snapshot.id, "name": name}
            copy = block_storage.new_volume(self.state, self.project, asked)
        name = temporary_name(action, f"backup_{copy.id}")
        image = images.new_image(self.state, self.project, {"name": name}, copy.content)

        def remove() -> None:
            block_storage.delete_snapshot(self.state, snapshot)
            block_storage.delete_volume(self.state, copy)
            self.state.images.remove(image)

        return remove


@attrs.frozen
class NativeVolumeMode:
    """Mode ``cindernative``: the agent asks Cinder, and does not wait for what becomes of it.

    Attributes:
        state: what there is in the cloud.
        project: the id of the project that the agent works for.
    """

    state: CloudState
    project: str

    def back_up(self, action: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
        """Ask for a backup; of one that is left half done nobody is told."""
        container = action.get("cindernative_backup_container", "")
        asked = {
            "volume_id": action["cindernative_vol_id"],
            "name": action["backup_name"],
            "container": container,
            "force": True,
            "metadata": {"created_by": "freezer", "freezer_backup_id": action.get("backup_id")},
        }
        backup = volume_backups.new_backup(self.state, self.project, asked)
        if not whole:
            return {}
        return {"cinder_backup_id": backup.id, "status": "available", "container": container}

    def restore(self, action: Mapping[str, str], *, whole: bool) -> None:
        """Ask for a restore over the volume that is named."""
        backup = self.state.backups.get(action["cindernative_backup_id"], self.project)
        if whole:
            asked = {"volume_id": action["cindernative_vol_id"]}
            volume_backups.restore_backup(self.state, self.project, backup, asked)

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove all backups of the volume that an agent has asked for."""
        for backup in self.state.backups.visible_to(self.project):
            is_own = backup.shown["metadata"].get("created_by") == "freezer"
            if is_own and backup.shown["volume_id"] == action["cindernative_vol_id"]:
                self.state.backups.remove(backup)


def _write_sparse(path: Path, content: bytes, size: int) -> None:
    """Write what ends in zeros, as a sparse file."""
    path.write_bytes(content)
    os.truncate(path, size)


def _read_sparse(path: Path) -> bytes:
    """Read what ends in zeros."""
    with path.open("rb") as file:
        return file.read(_CONTENT_LIMIT).rstrip(b"\0")
