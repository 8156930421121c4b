"""The paths of a restore: first beside its target, then the target itself."""

import os
import shutil
from pathlib import Path

from karbor_backup_core import BackendError, Operation, Progress, ProgressState, Resource

from karbor_backup_tar import serialization


def restore_target(operation: Operation) -> Path:
    """Return the directory that a restore is to create.

    Raises:
        InvalidInput: the protected or the requested directory is no valid target.
    """
    serialization.check_id(operation.id)
    beside = f"{serialization.parse_directory(operation.resource.id)}~{operation.id}"
    return serialization.parse_directory(operation.options.get("path", beside))


def unpack_folder(operation: Operation) -> Path:
    """Return the folder to unpack into: on the target's file system, so that it can be renamed."""
    return restore_target(operation).with_name(f".restore-{operation.id}")


def move_into_place(operation: Operation) -> Progress:
    """Rename the unpacked folder to its target, unless that is done already.

    Raises:
        BackendError: the target has been created by something else.
        OSError: the folder cannot be renamed.
    """
    target, unpacked = restore_target(operation), unpack_folder(operation)
    if unpacked.exists():
        if os.path.lexists(target):
            raise BackendError(f"{target}: somebody has made it while the archive was unpacked")
        unpacked.rename(target)
    return restore_progress(operation)


def restore_progress(operation: Operation) -> Progress:
    """Return the progress of a restore in its last phase."""
    if unpack_folder(operation).exists():
        return Progress(ProgressState.UNKNOWN)
    target = restore_target(operation)
    resource = Resource(operation.resource.type, str(target), target.name)
    return Progress(ProgressState.SUCCEEDED, resources=(resource,))


def remove_restored(operation: Operation) -> None:
    """Remove what a restore created, and nothing else of the same name.

    Raises:
        BackendError: the receipt is of another release.
        OSError: a file cannot be removed.
    """
    if unpack_folder(operation).exists():
        shutil.rmtree(unpack_folder(operation))
    if serialization.matches_receipt(operation.receipt, restore_target(operation)):
        shutil.rmtree(restore_target(operation))
