"""The path that a directory is restored to, as it is seen from here."""

import os
import stat
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from karbor_backup_freezer.directories.mounts import (
    KERNEL_TYPES,
    Location,
    MountTable,
    is_within,
    normalized,
    outermost,
    resolved,
    shown,
)
from karbor_backup_freezer.directories.places import Place

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
    def plain(cls, path: str) -> "Target":
        """Return the target as its bare text tells it."""
        return cls(path, normalized(path))

    @classmethod
    def look(cls, path: str) -> "Target | None":
        """Return the target as it is on this host, None where this process may not see it."""
        try:
            mounts = MountTable.read()
            os.stat(path)  # noqa: PTH116 - no Path: that would take "//" and "/." away
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:
            return None
        return cls(path, resolved(path), mounts)

    @property
    def name(self) -> str:
        """The target in words."""
        leads = "" if self.real == self.given else f", which is {shown(self.real)},"
        return f"restore_path {self.given!r}{leads}"

    def faults(self, guarded: Sequence[Place]) -> Iterator[str]:
        """Yield why a restore that removes things is refused, by the guarded places."""
        for place in _distinct(guarded):
            if self.holds(place):
                at = "is" if self._real_of(place) == self.real else "holds"
                yield (
                    f"{self.name} {at} {place}, and with 'overwrite' what the "
                    f"backup does not know is removed from it: {REMEDY}"
                )
        yield from self.inside_faults([place for place in guarded if not self.holds(place)])

    def inside_faults(self, guarded: Sequence[Place]) -> Iterator[str]:
        """Yield the guarded places that nothing may be restored into, and the target lies in."""
        for place in _distinct(guarded):
            if place.inside and self._lies_in(place):
                yield f"{self.name} lies in {place}: restore to another path"

    def mount_faults(self, *, may_be_mounted: bool) -> Iterator[str]:
        """Yield the mounts at and below the target."""
        if self.mounts is None:
            return
        below = outermost(self.mounts.below(self.real))
        if below:
            named = ", ".join(map(str, below))
            yield (
                f"{self.name} has mounts below it, and with 'overwrite' the agent removes what is "
                f"on them: {named}: unmount them, or {REMEDY}"
            )
        mount = self.mounts.at(self.real)
        if mount is not None and not may_be_mounted and self.real != "/":
            yield (
                f"{self.name} is a mount point ({mount.type}), and it is not known that the "
                "protected directory was the same one: with 'overwrite' what is on it is removed: "
                "restore to a folder in it"
            )

    def kernel_faults(self) -> Iterator[str]:
        """Yield that the kernel fills the file system."""
        mount = None if self.mounts is None else self.mounts.holding(self.real)
        if mount is not None and mount.type in KERNEL_TYPES:
            yield f"{self.name} is on {mount}, which the kernel fills: restore to another path"

    def full_faults(self) -> Iterator[str]:
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

    def file_faults(self) -> Iterator[str]:
        """Yield that the target is there and no directory."""
        try:
            if not stat.S_ISDIR(os.lstat(self.real).st_mode):
                yield f"{self.name} is no directory: restore to another path"
        except OSError:
            return

    def is_parent_of(self, path: str) -> bool:
        """Return whether a path lies below the target."""
        place = Place(path, "")
        return self.holds(place) and self._real_of(place) != self.real

    def holds(self, place: Place) -> bool:
        """Return whether a place is the target itself or lies below it, by whatever link."""
        real = self._real_of(place)
        return is_within(real, self.real) or _contains(
            self._location(self.real), self._location(real)
        )

    def _lies_in(self, place: Place) -> bool:
        real = self._real_of(place)
        return is_within(self.real, real) or _contains(
            self._location(real), self._location(self.real)
        )

    def _real_of(self, place: Place) -> str:
        if self.mounts is None:
            return normalized(place.path)
        return resolved(place.path)

    def _location(self, real: str) -> Location | None:
        return None if self.mounts is None else self.mounts.location(real)


def _contains(outer: Location | None, inner: Location | None) -> bool:
    return outer is not None and inner is not None and outer.contains(inner)


def _distinct(guarded: Sequence[Place]) -> Sequence[Place]:
    """Return one place for each path: the one that was named first."""
    return list({place.path: place for place in reversed(guarded) if place.path}.values())[::-1]
