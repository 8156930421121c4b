"""What Glance does to images, and Cinder by its means."""

import hashlib
from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import BadRequest

from tests.support.scripted_cloud.block_storage import GIB
from tests.support.scripted_cloud.state import CloudState, FakeResource


def new_image(
    state: CloudState, project: str, asked: Mapping[str, Any], content: bytes | None = None
) -> FakeResource:
    """Make an image, with its data if there is some."""
    image = state.images.add(
        project,
        {
            "name": None,
            "container_format": None,
            "disk_format": None,
            "min_disk": 0,
            "min_ram": 0,
            "protected": False,
            "visibility": "private",
            "tags": [],
            **asked,
            "status": "queued",
            "size": None,
            "virtual_size": None,
            "checksum": None,
            "owner": project,
            "created_at": state.timestamp(),
            "updated_at": state.timestamp(),
        },
    )
    if content is not None:
        fill_image(image, content)
    return image


def fill_image(image: FakeResource, content: bytes, size: int | None = None) -> None:
    """Give an image its data; a size counts the zeros that follow the content."""
    checksum = None if size else hashlib.md5(content, usedforsecurity=False).hexdigest()
    image.content = content
    image.shown.update(status="active", size=size or len(content), checksum=checksum)


def upload_volume(
    state: CloudState, project: str, volume: FakeResource, asked: Mapping[str, Any]
) -> FakeResource:
    """Begin to make an image of a volume.

    Raises:
        BadRequest: the volume is in use, and it is not forced.
    """
    before = volume.shown["status"]
    if before not in (("available", "in-use") if asked.get("force") else ("available",)):
        raise BadRequest(f"Invalid volume: Volume {volume.id} status must be available")
    image = new_image(
        state,
        project,
        {
            "name": asked["image_name"],
            "container_format": asked.get("container_format") or "bare",
            "disk_format": asked.get("disk_format") or "raw",
        },
    )
    volume.shown["status"] = "uploading"
    size = volume.shown["size"] * GIB
    state.schedule(lambda: fill_image(image, volume.content, size))
    state.schedule_status(volume, before)
    return image
