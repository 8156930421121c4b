"""The names by which an operation finds what it has made.

Cinder lists by name, and a name is given in the very request that makes a thing. So a name that
ends with the operation's id finds what a lost reply spoke of.
"""

import re
from typing import Any, Final

from karbor_backup_core import Operation
from karbor_backup_openstack.metadata import METADATA_PREFIX, NAME_LIMIT, is_marked

_ID_LENGTH: Final = 36
BACKUP_NAME_LIMIT: Final = NAME_LIMIT - _ID_LENGTH - 1
"""The longest option ``backup_name``, in characters: Cinder takes 255 with the operation's id."""

STATE_KEY: Final = f"{METADATA_PREFIX}state"
COMPLETE: Final = "complete"
"""Metadata of a volume whose restore is complete: a late call begins it no more."""

_OWN_BACKUP: Final = re.compile(r"_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def cinder_backup_name(operation: Operation) -> str:
    """Return the name in Cinder of the backup that a protect makes.

    Cinder strips the spaces around a name, so that they are left out here too.
    """
    given = operation.options.get("backup_name") or operation.resource.name
    name = (given or operation.resource.id).strip()[:BACKUP_NAME_LIMIT]
    return f"{name}_{operation.id}".lstrip()


def is_own_backup_name(name: str) -> bool:
    """Return whether a backup's name is one that karbor-backup gives."""
    return _OWN_BACKUP.search(name) is not None


def read_backup_id(name: str) -> str:
    """Return the id of the backup in a name that karbor-backup gives; empty for any other name."""
    return name[-_ID_LENGTH:] if is_own_backup_name(name) else ""


def provisional_name(operation: Operation) -> str:
    """Return the name of a new volume until its restore is complete.

    Cinder replaces a volume's metadata with the backup's, and keeps its name.
    """
    return f"karbor-backup_{operation.id}"


def is_new_volume(volume: Any, operation: Operation) -> bool:
    """Return whether a volume is one that the restore has made."""
    return is_marked(volume.metadata, operation) or volume.name == provisional_name(operation)


def is_complete(volume: Any, operation: Operation) -> bool:
    """Return whether the operation has completed the restore to a volume."""
    return is_marked(volume.metadata, operation) and volume.metadata.get(STATE_KEY) == COMPLETE
