"""What Cinder does to volumes and snapshots."""

from collections.abc import Mapping
from typing import Any, Final

from werkzeug.exceptions import BadRequest, NotFound

from tests.support.scripted_cloud.state import ZONE, CloudState, FakeResource

GIB: Final = 2**30

DELETABLE: Final = frozenset({"available", "error", "error_restoring", "error_extending"})
"""States of a volume in which Cinder deletes it."""


def new_volume(state: CloudState, project: str, asked: Mapping[str, Any]) -> FakeResource:
    """Begin to make a volume, empty or of an image, a snapshot or a volume.

    Raises:
        BadRequest, NotFound: as Cinder refuses it.
    """
    zone = asked.get("availability_zone") or ZONE
    if zone != ZONE:
        raise BadRequest(f"Invalid input received: Availability zone '{zone}' is invalid.")
    kind = _find_type(state, asked.get("volume_type"))
    source, image = _find_source(state, project, asked)
    size = asked.get("size") or (source.shown.get("size") if source else None)
    if not size:
        raise BadRequest("Invalid input received: 'size' is a required property.")
    from_volume = source is not None and not image and bool(source.shown.get("volume_image"))
    volume = state.volumes.add(
        project,
        {
            "name": asked.get("name"),
            "description": asked.get("description"),
            "status": "creating",
            "size": int(size),
            "availability_zone": zone,
            "created_at": state.timestamp(),
            "updated_at": None,
            "volume_type": kind.name,
            "volume_type_id": kind.id,
            "snapshot_id": asked.get("snapshot_id"),
            "source_volid": asked.get("source_volid"),
            "metadata": dict(asked.get("metadata") or {}),
            "bootable": "true" if image or from_volume else "false",
            "encrypted": bool(kind.shown.get("encryption")),
            "multiattach": "<is> True" in kind.shown["extra_specs"].values(),
            "attachments": [],
            "os-vol-tenant-attr:tenant_id": project,
        },
        content=source.content if source else b"",
    )
    if image:
        volume.shown["volume_image_metadata"] = _image_metadata(image)
    elif from_volume and source:
        volume.shown["volume_image_metadata"] = dict(source.shown["volume_image"])
    state.schedule_status(volume, "available")
    return volume


def _find_source(
    state: CloudState, project: str, asked: Mapping[str, Any]
) -> tuple[FakeResource | None, FakeResource | None]:
    """Return what a new volume is made of, and the same if it is an image."""
    if reference := asked.get("imageRef"):
        try:
            image = state.images.get(reference, project)
        except NotFound:
            message = f"Invalid image identifier or unable to access requested image. {reference}"
            raise BadRequest(message) from None
        if image.shown["status"] != "active":
            raise BadRequest(f"Invalid input received: Image {reference} is not active.")
        return image, image
    if reference := asked.get("snapshot_id"):
        return state.snapshots.get(reference, project), None
    if reference := asked.get("source_volid"):
        return state.volumes.get(reference, project), None
    return None, None


def _find_type(state: CloudState, wanted: str | None) -> FakeResource:
    for kind in state.types:
        if wanted is None or wanted in (kind.id, kind.name):
            return kind
    raise NotFound(f"Volume type {wanted} could not be found.")


def _image_metadata(image: FakeResource) -> dict[str, Any]:
    """Return what Cinder keeps of the image that a volume was made of."""
    names = ("checksum", "container_format", "disk_format", "min_disk", "min_ram", "size")
    kept = {name: str(image.shown[name]) for name in names}
    return {"image_id": image.id, "image_name": image.name, **kept}


def delete_volume(state: CloudState, volume: FakeResource, *, force: bool = False) -> None:
    """Begin to delete a volume.

    Raises:
        BadRequest: it is in use, or has snapshots.
    """
    has_snapshots = any(each.shown["volume_id"] == volume.id for each in state.snapshots)
    if has_snapshots or not (force or volume.shown["status"] in DELETABLE):
        raise BadRequest(
            "Invalid volume: Volume status must be available or error or error_restoring or "
            "error_extending or error_managing and must not be migrating, attached, belong to a "
            "group, have snapshots, awaiting a transfer, or be disassociated from snapshots after "
            "volume transfer."
        )
    volume.shown["status"] = "deleting"
    state.schedule(lambda: state.volumes.remove(volume))


def retype(state: CloudState, volume: FakeResource, wanted: str) -> None:
    """Begin to give a volume another type.

    Raises:
        BadRequest, NotFound: as Cinder refuses it.
    """
    if volume.shown["status"] not in ("available", "in-use"):
        raise BadRequest(f"Invalid volume: Volume {volume.id} status must be available or in-use")
    kind, before = _find_type(state, wanted), volume.shown["status"]
    volume.shown["status"] = "retyping"
    state.schedule_status(volume, before, volume_type=kind.name, volume_type_id=kind.id)


def new_snapshot(state: CloudState, project: str, asked: Mapping[str, Any]) -> FakeResource:
    """Begin to take a snapshot of a volume.

    Raises:
        BadRequest, NotFound: as Cinder refuses it.
    """
    volume = state.volumes.get(asked["volume_id"], project)
    if volume.shown["status"] not in ("available", "in-use"):
        raise BadRequest(f"Invalid volume: Volume {volume.id} status must be available.")
    snapshot = state.snapshots.add(
        project,
        {
            "name": asked.get("name"),
            "description": asked.get("description"),
            "volume_id": volume.id,
            "status": "creating",
            "size": volume.shown["size"],
            "metadata": dict(asked.get("metadata") or {}),
            "created_at": state.timestamp(),
            "updated_at": None,
            "volume_image": volume.shown.get("volume_image_metadata"),
        },
        content=volume.content,
    )

    def end() -> None:
        # As seen of the driver NFS: it asks Nova for help, which refuses during a task.
        status = "error" if _is_in_a_task(state, volume) else "available"
        snapshot.shown.update(status=status, updated_at=state.timestamp())

    state.schedule(end)
    return snapshot


def _is_in_a_task(state: CloudState, volume: FakeResource) -> bool:
    """Return whether a server that a volume is attached to is in the middle of a task."""
    return any(
        server.shown["OS-EXT-STS:task_state"]
        for server in state.servers
        for attached in server.shown["os-extended-volumes:volumes_attached"]
        if attached["id"] == volume.id
    )


def delete_snapshot(state: CloudState, snapshot: FakeResource) -> None:
    """Begin to delete a snapshot.

    Raises:
        BadRequest: it is in a state in which Cinder does not delete it.
    """
    if snapshot.shown["status"] not in ("available", "error"):
        raise BadRequest("Invalid snapshot: Snapshot status must be available or error")
    snapshot.shown["status"] = "deleting"
    if state.snapshot_deletes_fail:
        state.schedule_status(snapshot, "error_deleting")
    else:
        state.schedule(lambda: state.snapshots.remove(snapshot))
