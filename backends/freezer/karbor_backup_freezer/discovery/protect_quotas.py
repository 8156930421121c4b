"""What a protect needs beside its storage: quota for the agent's temporary volumes.

In mode ``cinder`` the agent makes a snapshot of a volume, and of it a volume (freezer 19.0.0,
``openstack/backup.py``), one item after the other; in mode ``cindernative`` Cinder's backups stay.
Cinder may count a snapshot's GiB too, and quotas per volume type are not told: a protect that
passes here may still meet a quota, and then fails.
"""

from collections.abc import Sequence

from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_openstack.quotas import QuotaRequirement, cinder_quota_problems
from karbor_backup_openstack.services import CloudServices

_GIB = 2**30


def protect_quota_problems(services: CloudServices, items: Sequence[BackupItem]) -> list[str]:
    """Return what Cinder's quotas lack for a protect.

    Errors are those of ``errors.translate_errors``.
    """
    copied = [_size_in_gib(item) for item in items if item.mode is Mode.CINDER]
    native = [_size_in_gib(item) for item in items if item.mode is Mode.NATIVE]
    need = QuotaRequirement(
        volumes=1 if copied else 0,
        gigabytes=max(copied, default=0),
        snapshots=1 if copied else 0,
        backups=len(native),
        backup_gigabytes=sum(native),
    )
    return cinder_quota_problems(services, need)


def _size_in_gib(item: BackupItem) -> int:
    return (item.size or 0) // _GIB
