"""Where a restore puts things: first beside its target, then under the target's name."""

import os
import shutil
from pathlib import Path

from karbor_backup_core import BackendError, Operation, Progress, ProgressState, Resource

from karbor_backup_tar import serialization


def restore_target(operation: Operation) -> Path:
    """Return the directory that a restore is to make.

    Raises:
        InvalidInput: the directory that was protected, or the one asked for, cannot be one.
    """
    serialization.check_id(operation.id)
    beside = f"{serialization.parse_directory(operation.resource.id)}~{operation.id}"
    return serialization.parse_directory(operation.options.get("path", beside))


def unpack_folder(operation: Operation) -> Path:
    """Return where a restore unpacks: on the target's file system, so that a rename is enough."""
    return restore_target(operation).with_name(f".restore-{operation.id}")


def move_into_place(operation: Operation) -> Progress:
    """Give what was unpacked its name, unless it has it already.

    Raises:
        BackendError: the name belongs to something else by now.
        OSError: it cannot be renamed.
    """
    target, unpacked = restore_target(operation), unpack_folder(operation)
    if unpacked.exists():
        if os.path.lexists(target):
            raise BackendError(f"{target}: somebody has made it while the archive was unpacked")
        unpacked.rename(target)
    return restore_progress(operation)


def restore_progress(operation: Operation) -> Progress:
    """Say how a restore stands whose archive is unpacked, in its last phase."""
    if unpack_folder(operation).exists():
        return Progress(ProgressState.UNKNOWN)
    target = restore_target(operation)
    resource = Resource(operation.resource.type, str(target), target.name)
    return Progress(ProgressState.SUCCEEDED, resources=(resource,))


def remove_restored(operation: Operation) -> None:
    """Remove what a restore made, and nothing that merely has its name.

    Raises:
        BackendError: the receipt is of another release.
        OSError: it cannot be removed.
    """
    if unpack_folder(operation).exists():
        shutil.rmtree(unpack_folder(operation))
    if serialization.matches_receipt(operation.receipt, restore_target(operation)):
        shutil.rmtree(restore_target(operation))
