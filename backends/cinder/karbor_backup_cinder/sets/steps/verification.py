"""The step of a verify: what Cinder and Glance say of a set; nothing is read or restored."""

from collections.abc import Iterator

from karbor_backup_cinder.sets.context import SetCall, SetStep
from karbor_backup_cinder.sets.images import belongs_to, require_whole
from karbor_backup_cinder.steps.verification import check_backup, describe_limits
from karbor_backup_core import BackendError, Check, Progress, ProgressState
from karbor_backup_openstack.native_backups import NativeBackup
from karbor_backup_openstack.volumes import GIB


class SetVerification(SetStep):
    """Looks whether Cinder and Glance still have a set as it was made."""

    name = "verify"

    def execute(self, call: SetCall) -> Progress:
        """Ask Cinder and Glance.

        Raises:
            InvalidInput: the handle cannot be read, or what it names is something else.
        """
        found = call.load_own_backups(self._context.backups)
        problems = [*_backup_problems(call, found), *self._image_problems(call)]
        if problems:
            checks = (Check("set complete", verified=False, reason="; ".join(problems)),)
            return Progress(ProgressState.FAILED, reason=problems[0], checks=checks)
        complete = Check("set complete", verified=True)
        limits = next((describe_limits(b) for b in found if b.incremental), "")
        reason = limits or "Cinder reads a backup's data only to restore it"
        unread = Check("restorable data", verified=False, reason=reason)
        return Progress(ProgressState.SUCCEEDED, checks=(complete, unread))

    def _image_problems(self, call: SetCall) -> Iterator[str]:
        for server, identifier in call.handle.images.items():
            image = self._context.images.get(identifier)
            if image is None or not belongs_to(image, call.operation.backup_id, server):
                yield f"image {identifier} of server {server} is gone, or of something else"
                continue
            try:
                require_whole(image, server)
            except BackendError as error:
                yield str(error)


def _backup_problems(call: SetCall, found: list[NativeBackup]) -> Iterator[str]:
    for volume, backup in zip(call.handle.volumes, found, strict=True):
        checks = check_backup(backup, volume.size // GIB)
        yield from (check.reason for check in checks if not check.verified)
