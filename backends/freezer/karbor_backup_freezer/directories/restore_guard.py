"""Whether a directory may be restored to a path, asked right before its job is created.

The agent's tar (freezer 19.0.0) restores with ``--incremental`` and without ``--one-file-system``:
what the backup does not know is removed from the target, on mounted file systems too. Between this
look and the agent's work somebody can still mount or link something there; that is not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from karbor_backup_core import InvalidInput, Operation
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.directories import hosts, places
from karbor_backup_freezer.directories.mounts import resolved
from karbor_backup_freezer.directories.places import Place
from karbor_backup_freezer.directories.programs import find_programs
from karbor_backup_freezer.directories.target import REMEDY, Target
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.resources import restore_path
from karbor_backup_freezer.storages import Kind
from karbor_backup_freezer.survey.refusal import refuse_if

MOUNTED: Final = "mounted"
"""The key in a piece's details that says that the directory itself was a mount point."""


class RestoreGuard:
    """Refuses restores that would remove what no backup holds.

    Args:
        configuration: all storages.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def check(
        self, operation: Operation, handle: Handle, hostname: str, own_paths: Sequence[str] = ()
    ) -> None:
        """Refuse a restore to a path at which it would do damage, or could not succeed.

        Args:
            operation: the restore of a directory.
            handle: of the backup.
            hostname: the host of the scheduler that is to run it.
            own_paths: files and folders that the calling program works with.

        Raises:
            InvalidInput: it would; everything that is in the way is named.
        """
        path = restore_path(operation.resource, operation.options)
        overwrite = bool(operation.options.get("overwrite", False))
        self._check_texts(path, operation, handle, hostname, overwrite=overwrite)
        view = Target.look(path) if hosts.is_here(hostname) else None
        if view is None:
            if overwrite and not operation.options.get("overwrite_unseen", False):
                raise InvalidInput(_unseen(path, hostname))
            return
        guarded = [
            *self._storage_places(handle, ""),
            *places.program_places(find_programs()),
            *places.caller_places(own_paths),
        ]
        if overwrite:
            guarded += places.system_places()
            refuse_if([*view.faults(guarded), *_overwrite_faults(view, operation, handle)])
        else:
            refuse_if([*view.inside_faults(guarded), *view.kernel_faults(), *view.full_faults()])

    def _check_texts(
        self, path: str, operation: Operation, handle: Handle, hostname: str, *, overwrite: bool
    ) -> None:
        """Refuse what the bare path tells, on whichever host it is."""
        plain = Target.plain(path)
        guarded = [*self._storage_places(handle, hostname)]
        if not overwrite:
            refuse_if([*plain.inside_faults(guarded)])
            return
        guarded += places.system_places()
        refuse_if([*plain.faults(guarded), *_parent_faults(plain, operation)])

    def _storage_places(self, handle: Handle, hostname: str) -> Iterator[Place]:
        yield from places.storage_places(self._configuration.storages.values(), hostname)
        if handle.kind == Kind.LOCAL:
            yield Place(handle.container, "the folder of the backup itself", inside=True)


def _overwrite_faults(view: Target, operation: Operation, handle: Handle) -> Iterator[str]:
    """Yield what stands at the target in the way of an overwrite, beside guarded places."""
    stored = next((each for each in handle.pieces if each.piece.mode is Mode.FS), None)
    details: Mapping[str, object] = {} if stored is None else stored.piece.details
    original = resolved(operation.resource.id) == view.real
    yield from view.file_faults()
    yield from view.kernel_faults()
    yield from view.mount_faults(may_be_mounted=original and bool(details.get(MOUNTED)))
    yield from _parent_faults(view, operation)


def _parent_faults(view: Target, operation: Operation) -> Iterator[str]:
    if view.is_parent_of(operation.resource.id):
        yield (
            f"{view.name} holds what was protected, {operation.resource.id}, and with 'overwrite' "
            f"all else in it is removed: {REMEDY}"
        )


def _unseen(path: str, hostname: str) -> str:
    return (
        f"restore_path {path!r} is on host {hostname or 'of an unknown name'!r}, which cannot be "
        "seen from here: it is not known whether file systems are mounted below it, whether a link "
        "leads elsewhere, or what it holds beside the backup, and all that would be removed. "
        f"Run the restore on that host, {REMEDY}, or accept the danger with the option "
        "'overwrite_unseen'"
    )
