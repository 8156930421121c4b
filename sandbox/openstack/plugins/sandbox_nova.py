# ruff: noqa: INP001 - it is linked to where Nova looks for it
"""Nova's fake driver with real disks: a server's is a copy of its image, a snapshot is that disk.

Runs in Nova's environment, as `nova.virt.sandbox`, where libvirt cannot run. No guest ever runs.
"""

import shutil
from pathlib import Path
from typing import Any

import nova.conf  # type: ignore[import-not-found]
from nova.compute import power_state, task_states  # type: ignore[import-not-found]
from nova.image import glance  # type: ignore[import-not-found]
from nova.virt import fake  # type: ignore[import-not-found]


class FileDriver(fake.FakeDriver):  # type: ignore[misc] # published without annotations
    """Keeps a directory for each server, with `disk` and, in `disk.format`, what it is."""

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:  # noqa: FBT001, FBT002
        super().__init__(virtapi, read_only)
        self._images = glance.API()

    def init_host(self, host: str) -> None:
        """Make the directory of all servers."""
        super().init_host(host)
        _all_disks().mkdir(parents=True, exist_ok=True)

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:  # noqa: FBT001, FBT002
        """Return a server's power state; what has a disk, runs."""
        self._remember(instance)
        return super().get_info(instance, use_cache)

    def spawn(self, context: Any, instance: Any, image_meta: Any, *more: Any, **named: Any) -> Any:
        """Make a server, with a copy of its image if it boots from one."""
        disk = _disk(instance)
        disk.parent.mkdir(exist_ok=True)
        if instance.image_ref:
            self._images.download(context, instance.image_ref, dest_path=str(disk))
            disk.with_suffix(".format").write_text(image_meta.disk_format)
        return super().spawn(context, instance, image_meta, *more, **named)

    def snapshot(self, context: Any, instance: Any, image_id: str, update_task_state: Any) -> None:
        """Upload a server's disk."""
        self._remember(instance)
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        update_task_state(
            task_state=task_states.IMAGE_UPLOADING,
            expected_state=task_states.IMAGE_PENDING_UPLOAD,
        )
        disk = _disk(instance)
        image = {
            "name": self._images.get(context, image_id)["name"],
            "status": "active",
            "container_format": "bare",
            "disk_format": disk.with_suffix(".format").read_text(),
            "properties": {"owner_id": instance.project_id},
        }
        with disk.open("rb") as content:
            self._images.update(context, image_id, image, content)

    def destroy(self, context: Any, instance: Any, *more: Any, **named: Any) -> None:
        """Remove a server with its disk."""
        shutil.rmtree(_disk(instance).parent, ignore_errors=True)
        super().destroy(context, instance, *more, **named)

    def _remember(self, instance: Any) -> None:
        """Know a server again that was made before this process was started."""
        if instance.uuid not in self.instances and _disk(instance).parent.exists():
            self.instances[instance.uuid] = fake.FakeInstance(
                instance.name, power_state.RUNNING, instance.uuid
            )


def _all_disks() -> Path:
    return Path(nova.conf.CONF.instances_path)


def _disk(instance: Any) -> Path:
    return _all_disks() / str(instance.uuid) / "disk"
