"""The step of a delete: Cinder removes the backups of a set, Glance its images, and no others."""

from karbor_backup_cinder.sets.context import SetCall, SetContext
from karbor_backup_cinder.steps.removal import BackupRemoval
from karbor_backup_openstack.resources import RemovalStatus


class SetRemoval(BackupRemoval[SetCall, SetContext]):
    """Removes all that a backup of a set consists of, and waits until it is gone."""

    def remove_rest(self, call: SetCall) -> RemovalStatus:
        """Ask for the removal of the images of system disks."""
        return self._context.images.remove_kept(call.operation.backup_id, call.handle.images)
