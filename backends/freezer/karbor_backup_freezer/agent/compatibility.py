"""What Freezer's agent can bring back: storage kind by type of resource by agent version.

Each verdict was seen with a real agent on real servers, byte by byte. Operators find the table in
``docs/reference/freezer-support.md``; tests against the real agent notice when a broken kind works.
"""

from collections.abc import Iterable
from typing import Final

import attrs

from karbor_backup_core import Check
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_openstack.resource_types import (
    IMAGE,
    PROJECT,
    SERVER,
    VOLUME,
)


@attrs.frozen
class RestoreSupport:
    """Whether a restore brings the data back.

    Attributes:
        restorable: it does.
        reason: why it does not; empty otherwise.
    """

    restorable: bool
    reason: str = ""


RESTORABLE_CHECK: Final = "restorable data"
"""The name of the check whether a backup's data comes back."""

_UNREAD_REASON: Final = "only a restore reads the data back"

_SUPPORTED: Final = RestoreSupport(restorable=True)
_S3: Final = RestoreSupport(
    restorable=False, reason="the agent's backup ends with a TypeError when it puts notes on s3"
)
_S3_VOLUME: Final = RestoreSupport(
    restorable=False, reason="the agent's restore of a volume from s3 ends with a ValueError"
)
_FTP_LOOP: Final = RestoreSupport(
    restorable=False, reason="the agent loops for ever when it reads from ftp"
)
_FTPS_ALIKE: Final = RestoreSupport(
    restorable=False, reason="the agent reads ftps with the code that loops for ever on ftp"
)
_TYPE_ERROR: Final = RestoreSupport(
    restorable=False, reason="the agent's restore of a volume ends with a TypeError on this kind"
)

_DATA_PATH: Final = {
    StorageKind.LOCAL: _SUPPORTED,
    StorageKind.SSH: _SUPPORTED,
    StorageKind.SWIFT: _SUPPORTED,
    StorageKind.S3: _S3,
    StorageKind.FTP: _FTP_LOOP,
    StorageKind.FTPS: _FTPS_ALIKE,
}

RESTORE_SUPPORT: Final = {
    "19.0.0": {
        DIRECTORY: _DATA_PATH | {StorageKind.FTPS: _FTP_LOOP},
        SERVER: _DATA_PATH,
        PROJECT: _DATA_PATH,
        IMAGE: _DATA_PATH,
        VOLUME: {
            StorageKind.LOCAL: _SUPPORTED,
            StorageKind.SWIFT: _SUPPORTED,
            StorageKind.SSH: _TYPE_ERROR,
            StorageKind.S3: _S3_VOLUME,
            StorageKind.FTP: _TYPE_ERROR,
            StorageKind.FTPS: _TYPE_ERROR,
        },
    },
}
"""By agent version, type of resource and storage kind."""

NEWEST_TESTED: Final = "19.0.0"
"""The newest version that was tried; a version without a row of its own is judged like it."""


def restore_support(agent_version: str, resource_type: str, kind: StorageKind) -> RestoreSupport:
    """Return whether that agent brings back a resource of that type from that kind of storage."""
    return RESTORE_SUPPORT.get(agent_version, RESTORE_SUPPORT[NEWEST_TESTED])[resource_type][kind]


def item_restore_support(agent_version: str, item: BackupItem, kind: StorageKind) -> RestoreSupport:
    """Return whether that agent brings back an item; Cinder's own backups are in no storage."""
    return (
        _SUPPORTED if item.mode is Mode.NATIVE else restore_support(agent_version, item.type, kind)
    )


def restorable_check(agent_version: str, items: Iterable[BackupItem], kind: StorageKind) -> Check:
    """Return what is known of whether the items of a backup come back: their bytes are not read."""
    reasons = {item_restore_support(agent_version, item, kind).reason for item in items} - {""}
    return Check(
        RESTORABLE_CHECK, verified=False, reason="; ".join(sorted(reasons)) or _UNREAD_REASON
    )


def deletes_data(kind: StorageKind) -> bool:
    """Whether the agent's removal removes the data: on s3 it says so and removes nothing."""
    return kind is not StorageKind.S3
