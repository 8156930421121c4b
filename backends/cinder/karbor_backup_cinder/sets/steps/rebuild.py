"""The last step of a restore: volumes and servers get what their sources had."""

from collections.abc import Mapping

import attrs

from karbor_backup_cinder.sets.context import SetCall, SetRestoreContext, SetStep
from karbor_backup_cinder.sets.model import StoredVolume, server_resource
from karbor_backup_core import InvalidInput, Progress, ProgressState, Resource, Transient
from karbor_backup_openstack.errors import NotFound
from karbor_backup_openstack.resources import ResourceKind
from karbor_backup_openstack.restore import rollback
from karbor_backup_openstack.restore.names import restored_name
from karbor_backup_openstack.restore.results import check_pending, conclude, wait_until_gone
from karbor_backup_openstack.restore.servers import BootImage, restore_server
from karbor_backup_openstack.restore.state import MemberStatus, RestoreState
from karbor_backup_openstack.restore.volumes import (
    complete_volume,
    find_noted_volume,
    size_problem,
    unready_status,
)
from karbor_backup_openstack.server_spec import ServerSpec


class Rebuild(SetStep):
    """Completes and names the volumes, and makes servers of them."""

    name = "rebuild"

    def execute(self, call: SetCall) -> Progress:
        """Do what can be done now; the last call names all that was restored."""
        context = self.restore_context(call)
        try:
            progress = conclude(context, _restore_members(context))
        except NotFound as error:
            # It went away between two requests: the next look tells it as gone.
            raise Transient(str(error)) from error
        receipt = attrs.evolve(call.receipt, restored=context.state.to_document())
        return attrs.evolve(progress, receipt=receipt.to_document())

    def status(self, call: SetCall) -> Progress:
        """Return whether the cloud still works on what was made, or on its removal."""
        if call.operation.outcome is None and call.step != self.name:
            return Progress(ProgressState.UNKNOWN)
        state = RestoreState.from_document(call.receipt.restored)
        return check_pending(self._context.resources, state)

    def revert(self, call: SetCall) -> Progress:
        """Remove what the restore has made, unless it succeeded; a project keeps whole members."""
        operation = call.operation
        try:
            context = self.restore_context(call)
        except InvalidInput:
            # A backup that cannot be read was refused before anything was made of it.
            return Progress(ProgressState.SUCCEEDED)
        if operation.work_succeeded:
            may_come_late = operation.fence > 1 or operation.attempt > 1
            surplus = rollback.surplus(context) if may_come_late else ()
            left = (*operation.leftovers, *surplus)
            return Progress(ProgressState.SUCCEEDED, leftovers=left)
        removal = rollback.remove_all_except(context, rollback.retained_ids(operation))
        leftovers = (*removal.pending, *removal.leftovers)
        if not removal.pending:
            return Progress(ProgressState.SUCCEEDED, leftovers=leftovers)
        wait_until_gone(context, removal)
        receipt = attrs.evolve(call.receipt, restored=context.state.to_document())
        return receipt.report(ProgressState.RUNNING, leftovers=leftovers)


def _restore_members(context: SetRestoreContext) -> Mapping[Resource, MemberStatus]:
    """Bring every member forward; volumes before the servers that they belong to."""
    handle = context.handle
    devices = {a.volume: a.device for server in handle.servers for a in server.attachments}
    volumes = {
        volume.id: _restore_volume(context, volume, devices.get(volume.id, ""))
        for volume in handle.volumes
    }

    def find_image(spec: ServerSpec) -> BootImage:
        image = context.resources.get(ResourceKind.IMAGE, handle.images[spec.id])
        if image is None:
            return BootImage(failure=f"image {handle.images[spec.id]} of it is gone")
        return BootImage(image)

    servers = {
        server_resource(server): restore_server(context, server, volumes, find_image)
        for server in handle.servers
    }
    return {**servers, **{volume.resource: volumes[volume.id] for volume in handle.volumes}}


def _restore_volume(context: SetRestoreContext, source: StoredVolume, device: str) -> MemberStatus:
    volume = find_noted_volume(context, source)
    if volume is None:
        return MemberStatus(failure=f"volume {context.state.volumes[source.id]} of it is gone")
    if status := unready_status(context, volume):
        return status
    if failure := size_problem(volume, source):
        return MemberStatus(failure=failure)
    name = restored_name(context.operation, source.resource, device)
    return complete_volume(context, source, volume, name)
