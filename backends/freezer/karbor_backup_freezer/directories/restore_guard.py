"""Whether a directory may be restored to a path, asked right before its job is created.

The agent's tar (freezer 19.0.0) restores with ``--incremental`` and without ``--one-file-system``:
what the backup does not know is removed from the target, on mounted file systems too. Between this
look and the agent's work somebody can still mount or link something there; that is not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from karbor_backup_core import InvalidInput, Operation
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.directories import guarded_paths, hosts
from karbor_backup_freezer.directories.guarded_paths import GuardedPath
from karbor_backup_freezer.directories.mounts import resolve_path
from karbor_backup_freezer.directories.processes import find_processes
from karbor_backup_freezer.directories.target import REMEDY, Target
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.resource_types import restore_path
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_openstack.problems import raise_for_problems

MOUNTED_KEY: Final = "mounted"
"""The key in an item's details that says that the directory itself was a mount point."""


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
        view = Target.from_filesystem(path) if hosts.is_local_host(hostname) else None
        if view is None:
            if overwrite and not operation.options.get("overwrite_unseen", False):
                raise InvalidInput(_unseen_target_message(path, hostname))
            return
        guarded = [
            *self._storage_paths(handle, ""),
            *guarded_paths.process_paths(find_processes()),
            *guarded_paths.caller_paths(own_paths),
        ]
        if overwrite:
            guarded += guarded_paths.system_paths()
            raise_for_problems(
                [*view.overwrite_problems(guarded), *_overwrite_problems(view, operation, handle)]
            )
        else:
            raise_for_problems(
                [
                    *view.inside_problems(guarded),
                    *view.kernel_problems(),
                    *view.not_empty_problems(),
                ]
            )

    def _check_texts(
        self, path: str, operation: Operation, handle: Handle, hostname: str, *, overwrite: bool
    ) -> None:
        """Refuse what the bare path tells, on whichever host it is."""
        plain = Target.from_text(path)
        guarded = [*self._storage_paths(handle, hostname)]
        if not overwrite:
            raise_for_problems([*plain.inside_problems(guarded)])
            return
        guarded += guarded_paths.system_paths()
        raise_for_problems(
            [*plain.overwrite_problems(guarded), *_parent_problems(plain, operation)]
        )

    def _storage_paths(self, handle: Handle, hostname: str) -> Iterator[GuardedPath]:
        yield from guarded_paths.storage_paths(self._configuration.storages.values(), hostname)
        if handle.kind == StorageKind.LOCAL:
            yield GuardedPath(
                handle.container, "the folder of the backup itself", forbids_inside=True
            )


def _overwrite_problems(view: Target, operation: Operation, handle: Handle) -> Iterator[str]:
    """Yield what stands at the target in the way of an overwrite, beside guarded places."""
    stored = next((each for each in handle.items if each.item.mode is Mode.FS), None)
    details: Mapping[str, object] = {} if stored is None else stored.item.details
    original = resolve_path(operation.resource.id) == view.real
    yield from view.not_directory_problems()
    yield from view.kernel_problems()
    yield from view.mount_problems(may_be_mounted=original and bool(details.get(MOUNTED_KEY)))
    yield from _parent_problems(view, operation)


def _parent_problems(view: Target, operation: Operation) -> Iterator[str]:
    if view.is_parent_of(operation.resource.id):
        yield (
            f"{view.name} holds what was protected, {operation.resource.id}, and with 'overwrite' "
            f"all else in it is removed: {REMEDY}"
        )


def _unseen_target_message(path: str, hostname: str) -> str:
    return (
        f"restore_path {path!r} is on host {hostname or 'of an unknown name'!r}, which cannot be "
        "seen from here: it is not known whether file systems are mounted below it, whether a link "
        "leads elsewhere, or what it holds beside the backup, and all that would be removed. "
        f"Run the restore on that host, {REMEDY}, or accept the danger with the option "
        "'overwrite_unseen'"
    )
