"""The step of a verify: what Cinder says of a backup; nothing is read or restored."""

from karbor_backup_cinder.context import CinderCall, CinderStep
from karbor_backup_core import Check, Progress, ProgressState
from karbor_backup_openstack.native_backups import NativeBackup, NativeBackupState
from karbor_backup_openstack.volumes import GIB

_EXISTS = "backup exists"
_AVAILABLE = "backup available"
_SIZE = "size matches"


class Verification(CinderStep):
    """Looks whether Cinder still has the backup as it was made."""

    name = "verify"

    def execute(self, call: CinderCall) -> Progress:
        """Ask Cinder.

        Raises:
            InvalidInput: the handle cannot be read, or what it names is something else.
        """
        found = self.load_own_backup(call)
        checks = check_backup(found, call.handle.source.size)
        problem = next((check.reason for check in checks if not check.verified), "")
        if problem:
            return Progress(ProgressState.FAILED, reason=problem, checks=checks)
        unread = Check("restorable data", verified=False, reason=describe_limits(found))
        return Progress(ProgressState.SUCCEEDED, checks=(*checks, unread))


def check_backup(found: NativeBackup, size: int) -> tuple[Check, ...]:
    """Return what can be known, up to the first that is not as it should be."""
    if found.state is NativeBackupState.GONE:
        return (Check(_EXISTS, verified=False, reason=found.reason),)
    exists = Check(_EXISTS, verified=True)
    if found.state is not NativeBackupState.AVAILABLE:
        reason = found.reason or f"Cinder calls backup {found.id} {found.status!r}"
        return (exists, Check(_AVAILABLE, verified=False, reason=reason))
    available = Check(_AVAILABLE, verified=True)
    if found.size != size * GIB:
        reason = f"backup {found.id} is of {found.size // GIB} GiB in Cinder, and was of {size}"
        return (exists, available, Check(_SIZE, verified=False, reason=reason))
    return (exists, available, Check(_SIZE, verified=True))


def describe_limits(found: NativeBackup) -> str:
    """Describe what a verify cannot make sure of."""
    unread = "Cinder reads a backup's data only to restore it"
    if found.incremental:
        return f"{unread}, and does not tell which backups this one is based on"
    return unread
