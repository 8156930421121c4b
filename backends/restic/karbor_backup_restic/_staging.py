"""Where a restore puts things: first into a directory of its own beside the target, then in place.

What is restored gets its name when it is complete, by a rename. What it replaces is moved aside by
another, and is there to be put back until the restore has succeeded.
"""

import contextlib
import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, Leftover, Operation
from karbor_backup_restic import _paths
from karbor_backup_restic._abilities import DIRECTORY

_DIRECTORY_NOTE: Final = "staging.json"
_ITEM_NOTE: Final = "item.json"
_PRIVATE: Final = 0o600


@attrs.frozen
class Staging:
    """The staging of one restore.

    Attributes:
        operation: the restore.
        target: what the restore is to make.
        private: whether what is restored gets a mode for its owner alone.
        notes: the directory of its job, which holds the notes on what was made.
    """

    operation: Operation
    target: Path
    notes: Path
    private: bool = False

    @property
    def directory(self) -> Path:
        """The restore's own directory, on the target's file system so that a rename is enough."""
        return self.target.with_name(f".karbor-backup-{self.operation.id}")

    @property
    def restored(self) -> Path:
        """Where restic restores to."""
        return self.directory / "new"

    @property
    def replaced(self) -> Path:
        """Where what the restore replaces is kept until it has succeeded."""
        return self.directory / "old"

    @property
    def _item(self) -> Path:
        """What is restored, until it is in place: the only entry at the top of the snapshot."""
        return self.restored / Path(self.operation.resource.id).name

    def create(self) -> None:
        """Make the directory, and note which one it is.

        Raises:
            BackendError: somebody else has made something under its name.
            OSError: it cannot be made.
        """
        try:
            self.directory.mkdir(mode=0o700)
        except FileExistsError:
            # Ours if an earlier attempt died before it could note it: it is empty then.
            self._remove_empty()
            try:
                self.directory.mkdir(mode=0o700)
            except FileExistsError:
                raise BackendError(f"{self.directory} is in the way: move it away") from None
        _write_note(self.notes / _DIRECTORY_NOTE, _identify(self.directory))

    def is_placed(self) -> bool:
        """Return whether what was restored is in place."""
        noted = _read_note(self.notes / _ITEM_NOTE)
        return (
            noted is not None
            and not os.path.lexists(self._item)
            and _identify(self.target) == noted["item"]
        )

    def place(self, check_replaced: Callable[[], None]) -> None:
        """Give what was restored its name, unless it has it already.

        Args:
            check_replaced: raises if what is at the target must not be replaced.

        Raises:
            BackendError: restic has restored nothing, or somebody has made the target meanwhile.
            InvalidInput: from ``check_replaced``.
            OSError: it cannot be renamed.
        """
        if self.is_placed():
            return
        if not os.path.lexists(self._item):
            raise BackendError(f"restic has restored no {self._item.name!r} from the snapshot")
        if self.private:
            self._item.chmod(_PRIVATE)
        self._note_item()
        if not _paths.is_free(str(self.target), self.operation.resource):
            self._set_aside(check_replaced)
        self._rename_item()
        _sync(self.target.parent)

    def undo(self) -> list[Leftover]:
        """Remove what was restored, and put back what it has replaced.

        Returns:
            What could not be put back, because somebody has made something in its place.

        Raises:
            OSError: something cannot be removed or renamed.
        """
        if not self._is_own():
            self._remove_empty()
            return []
        if self.is_placed():
            noted = _read_note(self.notes / _ITEM_NOTE) or {}
            self.target.rename(self.directory / "undone")
            if noted.get("was_empty"):
                self.target.mkdir()
        if os.path.lexists(self.replaced):
            if os.path.lexists(self.target):
                return [
                    Leftover(
                        kind="replaced path",
                        id=str(self.replaced),
                        note=f"somebody has made {self.target} meanwhile: put it back by hand",
                    )
                ]
            self.replaced.rename(self.target)
        return self.remove()

    def remove(self) -> list[Leftover]:
        """Remove the directory with all that is in it.

        Returns:
            What is not removed, because a file system is mounted in it.

        Raises:
            OSError: something cannot be removed.
        """
        if not self._is_own():
            self._remove_empty()
            return []
        if mounted := _paths.mounts_below(str(self.directory)):
            note = f"a file system is mounted at {mounted[0]}: unmount it, then remove the rest"
            return [Leftover(kind="directory", id=str(self.directory), note=note)]
        _remove_tree(self.directory)
        return []

    def _note_item(self) -> None:
        was_empty = os.path.lexists(self.target)
        was_empty = was_empty and _paths.is_free(str(self.target), self.operation.resource)
        document = {"item": _identify(self._item), "was_empty": was_empty}
        _write_note(self.notes / _ITEM_NOTE, document)

    def _set_aside(self, check_replaced: Callable[[], None]) -> None:
        if not self.operation.options.get("replace"):
            raise BackendError(f"{self.target}: somebody has made it while the data was restored")
        if os.path.lexists(self.replaced):
            raise BackendError(f"{self.target}: somebody has made it anew after it was set aside")
        check_replaced()
        self.target.rename(self.replaced)

    def _rename_item(self) -> None:
        if self.operation.resource.type == DIRECTORY:
            self._item.rename(self.target)  # replaces nothing but an empty directory
            return
        # A rename would replace a file that somebody has made this very moment; a link does not.
        try:
            os.link(self._item, self.target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):
                raise
            self._item.rename(self.target)
            return
        self._item.unlink()

    def _is_own(self) -> bool:
        noted = _read_note(self.notes / _DIRECTORY_NOTE)
        return noted is not None and _identify(self.directory) == noted

    def _remove_empty(self) -> None:
        with contextlib.suppress(OSError):
            self.directory.rmdir()


def _identify(path: Path) -> dict[str, int] | None:
    """Return what tells a file from any other of the same name; None if there is none."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return {"device": status.st_dev, "inode": status.st_ino}


def _write_note(path: Path, document: Any) -> None:
    draft = path.with_name(f"{path.name}.part")
    with draft.open("w") as file:
        file.write(json.dumps(document))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync(path.parent)


def _read_note(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_tree(directory: Path) -> None:
    # Restored directories may be read-only, and then only root can remove what is in them.
    for folder, _, _ in os.walk(directory):
        mode = Path(folder).lstat().st_mode
        if mode & stat.S_IRWXU != stat.S_IRWXU:
            Path(folder).chmod(stat.S_IMODE(mode) | stat.S_IRWXU)
    shutil.rmtree(directory)
