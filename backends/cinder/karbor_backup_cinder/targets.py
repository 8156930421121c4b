"""The volume that a restore writes to: a new one, or one that is overwritten."""

from collections.abc import Iterator
from typing import Any

from karbor_backup_cinder.context import CinderCall, CinderContext
from karbor_backup_cinder.model import Handle, SourceVolume
from karbor_backup_cinder.names import is_complete, is_new_volume, provisional_name
from karbor_backup_cinder.volumes import RESTORING
from karbor_backup_core import InvalidInput, Operation
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.lookups import list_volume_type_names
from karbor_backup_openstack.metadata import is_marked, operation_metadata
from karbor_backup_openstack.problems import raise_for_problems
from karbor_backup_openstack.quotas import QuotaRequirement, cinder_quota_problems
from karbor_backup_openstack.resources import ResourceKind
from karbor_backup_openstack.volumes import find_volume


def overwrites(operation: Operation) -> bool:
    """Return whether a restore writes over a volume that is there."""
    return bool(operation.options.get("overwrite_volume", False))


class RestoreTarget:
    """Finds, makes and marks the volume that a restore writes to.

    Every method raises ``Transient`` where a repeat may help and ``BackendError`` where not.

    Args:
        context: the cloud.
        operation: the restore.
    """

    def __init__(self, context: CinderContext, operation: Operation) -> None:
        self._context = context
        self._operation = operation

    def get(self, identifier: str) -> Any | None:
        """Return a volume that the operation has noted, None where it is gone or not its own."""
        volume = self._context.resources.get(ResourceKind.VOLUME, identifier)
        if volume is None or overwrites(self._operation):
            return volume
        return volume if is_new_volume(volume, self._operation) else None

    def look_up(self, call: CinderCall) -> Any | None:
        """Return the volume that the operation has noted, as the present poll has seen it."""
        identifier = call.receipt.volume
        if identifier not in call.volumes:
            call.volumes[identifier] = self.get(identifier)
        return call.volumes[identifier]

    def list_new(self) -> list[Any]:
        """Return the volumes that the operation has made, the oldest first."""
        volumes = self._context.resources.list_all(ResourceKind.VOLUME)
        return [volume for volume in volumes if is_new_volume(volume, self._operation)]

    def create(self, source: SourceVolume) -> Any:
        """Begin to make a volume like the source.

        Raises:
            InvalidInput: its type is gone, or a quota is too small.
        """
        options, services = self._operation.options, self._context.services
        volume_type = options.get("volume_type") or source.volume_type
        raise_for_problems([*self._type_problems(volume_type), *self._quota_problems(source.size)])
        with translate_errors(f"Cinder for a new volume like {source.id}"):
            made: Any = services.sdk.block_storage.create_volume(
                size=source.size,
                name=provisional_name(self._operation),
                description=source.description or None,
                volume_type=volume_type or None,
                availability_zone=(
                    options.get("availability_zone") or source.availability_zone or None
                ),
                metadata=operation_metadata(self._operation, source.id),
            )
        return made

    def claim(self, handle: Handle) -> Any:
        """Mark the volume that is to be overwritten, and return it.

        One that bears the mark of a complete restore is left alone: a late call changes nothing.

        Raises:
            InvalidInput: it is gone, too small, or not in a state in which Cinder writes over it.
        """
        source, services = handle.source, self._context.services
        identifier = self._operation.options.get("volume_id") or source.id
        try:
            volume: Any = find_volume(services, identifier)
        except NotFound:
            raise InvalidInput(
                f"volume {identifier} is gone: restore without overwrite_volume"
            ) from None
        if is_complete(volume, self._operation) or volume.status == RESTORING:
            return self._require_own(volume)
        raise_for_problems(list(_overwrite_problems(volume, source.size, services.project)))
        metadata = {
            **(volume.metadata or {}),
            **operation_metadata(self._operation, source.id),
        }
        with translate_errors(f"Cinder to mark volume {identifier}"):
            services.sdk.block_storage.update_volume(identifier, metadata=metadata)
        return volume

    def _require_own(self, volume: Any) -> Any:
        if not is_marked(volume.metadata, self._operation):
            raise InvalidInput(
                f"volume {volume.id} is in state {volume.status}: another backup is restored to it"
            )
        return volume

    def _type_problems(self, name: str) -> Iterator[str]:
        if name and name not in list_volume_type_names(self._context.services):
            yield f"there is no volume type {name!r}: make one, or name another as volume_type"

    def _quota_problems(self, size: int) -> list[str]:
        need = QuotaRequirement(volumes=1, gigabytes=size)
        return cinder_quota_problems(self._context.services, need)


def _overwrite_problems(volume: Any, size: int, project: str) -> Iterator[str]:
    if volume.project_id and volume.project_id != project:
        yield f"volume {volume.id} is of project {volume.project_id}, not of {project}"
    if volume.status != "available":
        yield (
            f"volume {volume.id} is in state {volume.status}: only one in state available can be "
            "written over"
        )
    if volume.size < size:
        yield f"volume {volume.id} has {volume.size} GiB, and the backup {size}"
