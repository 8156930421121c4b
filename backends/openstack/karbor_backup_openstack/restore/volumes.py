"""Volumes: made for Cinder's own backups, and completed by what was written down of them."""

from typing import Any, Protocol

from karbor_backup_core import BackendError, Json, Resource, Transient
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.metadata import is_marked, operation_metadata, user_metadata
from karbor_backup_openstack.resource_types import VOLUME
from karbor_backup_openstack.resources import ResourceKind, is_busy
from karbor_backup_openstack.restore.context import RestoreContext
from karbor_backup_openstack.restore.creation import keep_if_alone
from karbor_backup_openstack.restore.names import restored_name
from karbor_backup_openstack.restore.state import PENDING, MemberStatus
from karbor_backup_openstack.volume_actions import VolumeActions
from karbor_backup_openstack.volumes import GIB


class VolumeSource(Protocol):
    """What was written down of a volume."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def size(self) -> int | None:
        """Its size in bytes, None where it is not known."""
        ...

    @property
    def details(self) -> Json:
        """What is needed to make one like it, as ``discovery.volumes`` writes it down."""
        ...

    @property
    def resource(self) -> Resource:
        """The volume as the core knows it."""
        ...


def prepare_target_volume(
    context: RestoreContext, item: VolumeSource, device: str = ""
) -> MemberStatus:
    """Have the volume that Cinder's own backup is to be restored to.

    Args:
        context: what the step has before it.
        item: the volume as it was.
        device: its device's name, where it belongs to a server that is restored.
    """
    if context.operation.options.get("overwrite_volume", False):
        context.state.volumes[item.id] = item.id
        return MemberStatus(restored=item.resource)
    if item.id in context.state.volumes:
        volume = find_noted_volume(context, item)
        if volume is None:
            return MemberStatus(
                failure=f"volume {context.state.volumes[item.id]}, made of it, is gone"
            )
    else:
        made = (v for v in context.volumes if is_marked(v.metadata, context.operation, item.id))
        volume = next(made, None)
    if volume is None:
        volume = create_volume(
            context, item, restored_name(context.operation, item.resource, device)
        )
    context.state.volumes[item.id] = volume.id
    return unready_status(context, volume) or MemberStatus(
        restored=Resource(VOLUME, volume.id, volume.name)
    )


def size_problem(volume: Any, item: VolumeSource) -> str:
    """Return why a volume is too small to hold all of its source, empty if it is not."""
    if item.size is None or volume.size * GIB >= item.size:
        return ""
    return f"the new volume {volume.id} has {volume.size} GiB, its source {item.size // GIB}"


def complete_volume(
    context: RestoreContext, item: VolumeSource, volume: Any, name: str
) -> MemberStatus:
    """Give a new volume that holds its data the name and the properties of its source."""
    _describe_volume(context, item, volume, name)
    _set_properties(context, item, volume)
    if _retype_volume(context, item, volume):
        return PENDING
    return MemberStatus(restored=Resource(VOLUME, volume.id, name))


def find_noted_volume(context: RestoreContext, item: VolumeSource) -> Any | None:
    """Return the volume that an earlier step recorded, if it is still this operation's own."""
    identifier = context.state.volumes.get(item.id)
    volume = None if identifier is None else context.resources.get(ResourceKind.VOLUME, identifier)
    return (
        volume if volume is not None and _is_created_by_operation(context, item, volume) else None
    )


def create_volume(
    context: RestoreContext, item: VolumeSource, name: str, besides: str = "", **source: str
) -> Any:
    """Begin to make a volume like the source, marked, and make sure that it is the only one.

    Args:
        context: what the step has before it.
        item: the volume as it was.
        name: the name of the new one.
        besides: the id of another one that is to be there.
        source: of what Cinder is to make it, by its API's words.

    Raises:
        Transient: a repeat may help.
        BackendError: Cinder refuses.
    """
    sdk: Any = context.services.sdk
    details = item.details
    with translate_errors(f"Cinder for a new volume like {item.id}"):
        made = sdk.block_storage.create_volume(
            size=-(-(item.size or 0) // GIB),
            name=name,
            description=details.get("description"),
            volume_type=details.get("volume_type"),
            availability_zone=details.get("availability_zone"),
            metadata={
                **user_metadata(details.get("metadata")),
                **operation_metadata(context.operation, item.id),
            },
            **source,
        )
    keep_if_alone(context, ResourceKind.VOLUME, made, item.id, besides)
    return made


def unready_status(context: RestoreContext, volume: Any) -> MemberStatus | None:
    """Return the standing of a volume that cannot be worked on, None where it can."""
    if is_busy(ResourceKind.VOLUME, volume):
        context.state.wait_for(ResourceKind.VOLUME, volume.id)
        return PENDING
    if volume.status not in ("available", "in-use"):
        return MemberStatus(
            failure=f"Cinder put the new volume {volume.id} in state {volume.status}"
        )
    return None


def _is_created_by_operation(context: RestoreContext, item: VolumeSource, volume: Any) -> bool:
    if volume.id == item.id:
        return bool(context.operation.options.get("overwrite_volume", False))
    return context.is_created_volume(volume, item.id)


def _describe_volume(context: RestoreContext, item: VolumeSource, volume: Any, name: str) -> None:
    """Give it its name, description and metadata, marked: before what it is found by goes."""
    details = item.details
    metadata = {
        **user_metadata(details.get("metadata")),
        **operation_metadata(context.operation, item.id),
        **context.completion_metadata,
    }
    description = details.get("description") or ""
    if (volume.name, volume.description or "", volume.metadata) == (name, description, metadata):
        return
    sdk: Any = context.services.sdk
    with translate_errors(f"Cinder to describe the new volume {volume.id}"):
        sdk.block_storage.update_volume(
            volume.id, name=name, description=description, metadata=metadata
        )


def _set_properties(context: RestoreContext, item: VolumeSource, volume: Any) -> None:
    """Set the properties that Cinder may refuse; what it refuses is noted, and no failure."""
    details = item.details
    wanted = dict(details.get("image_metadata") or {})
    present = dict(volume.volume_image_metadata or {})
    actions = VolumeActions(context.services, volume.id)
    try:
        changed = {k: v for k, v in wanted.items() if present.get(k) != v}
        if changed:
            actions.set_image_metadata(changed)
        for key in present.keys() - wanted.keys():
            actions.unset_image_metadata(key)
        bootable = bool(details.get("bootable", False))
        if bool(volume.is_bootable) is not bootable:
            actions.set_bootable(bootable=bootable)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        context.state.doubts[f"properties of volume {volume.id}"] = str(error)


def _retype_volume(context: RestoreContext, item: VolumeSource, volume: Any) -> bool:
    """Give it its source's type; answer whether Cinder is at it now."""
    wanted = item.details.get("volume_type")
    if not wanted or volume.volume_type == wanted:
        return False
    doubt = f"type of volume {volume.id}"
    if item.id in context.state.retyped:
        context.state.doubts.setdefault(doubt, f"Cinder did not change it to {wanted!r}")
        return False
    if volume.status != "available":
        context.state.doubts[doubt] = f"it is {volume.status}, so it stays {volume.volume_type!r}"
        return False
    try:
        VolumeActions(context.services, volume.id).retype(wanted)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        context.state.doubts[doubt] = str(error)
        return False
    context.state.retyped.append(item.id)
    context.state.wait_for(ResourceKind.VOLUME, volume.id)
    return True
