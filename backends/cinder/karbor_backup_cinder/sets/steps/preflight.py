"""The first step of a restore: whether it can come to its end."""

from karbor_backup_cinder.sets.context import SetCall, SetStep
from karbor_backup_cinder.sets.images import belongs_to, require_whole
from karbor_backup_cinder.sets.model import server_resource
from karbor_backup_core import BackendError, InvalidInput, Progress, ProgressState, Transient
from karbor_backup_openstack.errors import Refused
from karbor_backup_openstack.native_backups import NativeBackupState
from karbor_backup_openstack.problems import raise_for_problems
from karbor_backup_openstack.restore.names import check_names
from karbor_backup_openstack.restore.requirements import (
    restore_quota_problems,
    server_problems,
    volume_type_problems,
)
from karbor_backup_openstack.volumes import GIB


class Preflight(SetStep):
    """Refuses a restore of what is not whole any more, or for which something is missing."""

    name = "preflight"

    def execute(self, call: SetCall) -> Progress:
        """Look at the backup and at the cloud.

        Raises:
            InvalidInput: the backup cannot be restored, or not here.
        """
        if call.step == self.name:
            return call.receipt.report(ProgressState.SUCCEEDED)
        handle, services = call.handle, self._context.services
        members = [volume.resource for volume in handle.volumes]
        check_names(call.operation, members, handle.servers)
        self._require_whole(call)
        types = {v.details["volume_type"] for v in handle.volumes if "volume_type" in v.details}
        sizes = [volume.size // GIB for volume in handle.volumes]
        try:
            raise_for_problems(
                [
                    *volume_type_problems(services, types),
                    *server_problems(services, handle.servers),
                    *restore_quota_problems(services, sizes, handle.servers),
                ]
            )
        except Refused as error:
            raise InvalidInput(str(error)) from error
        return call.receipt.report(ProgressState.READY)

    def _require_whole(self, call: SetCall) -> None:
        """Refuse a backup of which a part is gone or broken."""
        for backup in call.load_own_backups(self._context.backups):
            if backup.status == "restoring":
                raise Transient(f"Cinder's backup {backup.id} is being restored by somebody else")
            if backup.state is not NativeBackupState.AVAILABLE:
                state = backup.reason or f"Cinder calls backup {backup.id} {backup.status!r}"
                raise InvalidInput(f"backup {call.backup.id} cannot be restored: {state}")
        for server in call.handle.servers:
            if (identifier := call.handle.images.get(server.id)) is None:
                continue
            image = self._context.images.get(identifier)
            if image is None or not belongs_to(image, call.operation.backup_id, server.id):
                raise InvalidInput(
                    f"backup {call.backup.id} cannot be restored: image {identifier} of "
                    f"{server_resource(server).type} {server.id} is gone, or of something else"
                )
            try:
                require_whole(image, server.id)
            except BackendError as error:
                message = f"backup {call.backup.id} cannot be restored: {error}"
                raise InvalidInput(message) from error
