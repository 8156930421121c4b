"""What a protect needs beside its storage: quota for the agent's temporary volumes.

In mode ``cinder`` the agent makes a snapshot of a volume, and of it a volume (freezer 19.0.0,
``openstack/backup.py``), one piece after the other; in mode ``cindernative`` Cinder's backups stay.
Cinder may count a snapshot's GiB too, and quotas per volume type are not told: a protect that
passes here may still meet a quota, and then fails.
"""

from collections.abc import Sequence

from karbor_backup_freezer.cloud.limits import Need, cinder_faults
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.pieces import Mode, Piece

_GIB = 2**30


def protect_faults(services: CloudServices, pieces: Sequence[Piece]) -> list[str]:
    """Say what Cinder's quotas lack for a protect. Errors are those of ``faults.asking``."""
    copied = [_gibibytes(piece) for piece in pieces if piece.mode is Mode.CINDER]
    native = [_gibibytes(piece) for piece in pieces if piece.mode is Mode.NATIVE]
    need = Need(
        volumes=1 if copied else 0,
        gigabytes=max(copied, default=0),
        snapshots=1 if copied else 0,
        backups=len(native),
        backup_gigabytes=sum(native),
    )
    return cinder_faults(services, need)


def _gibibytes(piece: Piece) -> int:
    return (piece.size or 0) // _GIB
