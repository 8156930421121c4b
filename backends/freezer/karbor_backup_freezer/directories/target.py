"""The path that a directory is restored to, as it is seen from here."""

import os
import stat
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from karbor_backup_freezer.directories.guarded_paths import GuardedPath
from karbor_backup_freezer.directories.mounts import (
    KERNEL_TYPES,
    Location,
    MountTable,
    is_within,
    normalize_path,
    outermost_mounts,
    printable_path,
    resolve_path,
)

REMEDY: Final = "restore to another path, and copy from there"


@attrs.frozen
class Target:
    """A target as it is seen from here.

    Attributes:
        given: the path as it was given.
        real: the path with all links followed.
        mounts: what is mounted where; None where only the text of the path is known.
    """

    given: str
    real: str
    mounts: MountTable | None = None

    @classmethod
    def from_text(cls, path: str) -> "Target":
        """Return the target as its bare text tells it."""
        return cls(path, normalize_path(path))

    @classmethod
    def from_filesystem(cls, path: str) -> "Target | None":
        """Return the target as it is on this host, None where this process may not see it."""
        try:
            mounts = MountTable.load()
            os.stat(path)  # noqa: PTH116 - no Path: that would take "//" and "/." away
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:
            return None
        return cls(path, resolve_path(path), mounts)

    @property
    def name(self) -> str:
        """The target in words."""
        leads = "" if self.real == self.given else f", which is {printable_path(self.real)},"
        return f"restore_path {self.given!r}{leads}"

    def overwrite_problems(self, guarded: Sequence[GuardedPath]) -> Iterator[str]:
        """Yield why a restore that removes things is refused, by the guarded places."""
        for guarded_path in _distinct_paths(guarded):
            if self.contains(guarded_path):
                at = "is" if self._real_path(guarded_path) == self.real else "holds"
                yield (
                    f"{self.name} {at} {guarded_path}, and with 'overwrite' what the "
                    f"backup does not know is removed from it: {REMEDY}"
                )
        yield from self.inside_problems(
            [guarded_path for guarded_path in guarded if not self.contains(guarded_path)]
        )

    def inside_problems(self, guarded: Sequence[GuardedPath]) -> Iterator[str]:
        """Yield the guarded places that nothing may be restored into, and the target lies in."""
        for guarded_path in _distinct_paths(guarded):
            if guarded_path.forbids_inside and self._is_inside(guarded_path):
                yield f"{self.name} lies in {guarded_path}: restore to another path"

    def mount_problems(self, *, may_be_mounted: bool) -> Iterator[str]:
        """Yield the mounts at and below the target."""
        if self.mounts is None:
            return
        below = outermost_mounts(self.mounts.list_below(self.real))
        if below:
            named = ", ".join(map(str, below))
            yield (
                f"{self.name} has mounts below it, and with 'overwrite' the agent removes what is "
                f"on them: {named}: unmount them, or {REMEDY}"
            )
        mount = self.mounts.find_at(self.real)
        if mount is not None and not may_be_mounted and self.real != "/":
            yield (
                f"{self.name} is a mount point ({mount.type}), and it is not known that the "
                "protected directory was the same one: with 'overwrite' what is on it is removed: "
                "restore to a folder in it"
            )

    def kernel_problems(self) -> Iterator[str]:
        """Yield that the kernel fills the file system."""
        mount = None if self.mounts is None else self.mounts.find_containing(self.real)
        if mount is not None and mount.type in KERNEL_TYPES:
            yield f"{self.name} is on {mount}, which the kernel fills: restore to another path"

    def not_empty_problems(self) -> Iterator[str]:
        """Yield that the target is no empty directory, as a restore without overwrite needs it."""
        try:
            with os.scandir(self.real) as entries:
                if next(entries, None) is not None:
                    yield (
                        f"{self.name} is not empty: restore to another path, or give the option "
                        "'overwrite', which removes from it what the backup does not know"
                    )
        except NotADirectoryError:
            yield f"{self.name} is no directory: restore to another path"
        except OSError:
            # It is not there yet, or the agent has to tell.
            return

    def not_directory_problems(self) -> Iterator[str]:
        """Yield that the target is there and no directory."""
        try:
            if not stat.S_ISDIR(os.lstat(self.real).st_mode):
                yield f"{self.name} is no directory: restore to another path"
        except OSError:
            return

    def is_parent_of(self, path: str) -> bool:
        """Return whether a path lies below the target."""
        guarded_path = GuardedPath(path, "")
        return self.contains(guarded_path) and self._real_path(guarded_path) != self.real

    def contains(self, guarded_path: GuardedPath) -> bool:
        """Return whether a place is the target itself or lies below it, by whatever link."""
        real = self._real_path(guarded_path)
        return is_within(real, self.real) or _location_contains(
            self._location(self.real), self._location(real)
        )

    def _is_inside(self, guarded_path: GuardedPath) -> bool:
        real = self._real_path(guarded_path)
        return is_within(self.real, real) or _location_contains(
            self._location(real), self._location(self.real)
        )

    def _real_path(self, guarded_path: GuardedPath) -> str:
        if self.mounts is None:
            return normalize_path(guarded_path.path)
        return resolve_path(guarded_path.path)

    def _location(self, real: str) -> Location | None:
        return None if self.mounts is None else self.mounts.location(real)


def _location_contains(outer: Location | None, inner: Location | None) -> bool:
    return outer is not None and inner is not None and outer.contains(inner)


def _distinct_paths(guarded: Sequence[GuardedPath]) -> Sequence[GuardedPath]:
    """Return one place for each path: the one that was named first."""
    return list(
        {
            guarded_path.path: guarded_path
            for guarded_path in reversed(guarded)
            if guarded_path.path
        }.values()
    )[::-1]
