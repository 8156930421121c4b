"""Where a restore puts things: first beside its target, then under the target's name."""

import os
import shutil
from pathlib import Path

from karbor_backup_core import BackendError, Operation, Progress, ProgressState, Resource

from karbor_backup_tar import notes


def target_of(operation: Operation) -> Path:
    """Return the directory that a restore is to make.

    Raises:
        InvalidInput: the directory that was protected, or the one asked for, cannot be one.
    """
    notes.check_id(operation.id)
    beside = f"{notes.check_directory(operation.resource.id)}~{operation.id}"
    return notes.check_directory(operation.options.get("path", beside))


def unpacked_of(operation: Operation) -> Path:
    """Answer where a restore unpacks: on the target's file system, so that a rename is enough."""
    return target_of(operation).with_name(f".restore-{operation.id}")


def place(operation: Operation) -> Progress:
    """Give what was unpacked its name, unless it has it already.

    Raises:
        BackendError: the name belongs to something else by now.
        OSError: it cannot be renamed.
    """
    target, unpacked = target_of(operation), unpacked_of(operation)
    if unpacked.exists():
        if os.path.lexists(target):
            raise BackendError(f"{target}: somebody has made it while the archive was unpacked")
        unpacked.rename(target)
    return placed(operation)


def placed(operation: Operation) -> Progress:
    """Say how a restore stands whose archive is unpacked, in its last phase."""
    if unpacked_of(operation).exists():
        return Progress(ProgressState.UNKNOWN)
    target = target_of(operation)
    resource = Resource(operation.resource.type, str(target), target.name)
    return Progress(ProgressState.SUCCEEDED, resources=(resource,))


def undo(operation: Operation) -> None:
    """Remove what a restore made, and nothing that merely has its name.

    Raises:
        BackendError: the receipt is of another release.
        OSError: it cannot be removed.
    """
    if unpacked_of(operation).exists():
        shutil.rmtree(unpacked_of(operation))
    if notes.is_noted(operation.receipt, target_of(operation)):
        shutil.rmtree(target_of(operation))
