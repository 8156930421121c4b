"""Where freezer-agent 19.0.0 puts what it stores, below the container of one protect.

Seen on its storages, and read in its ``storage/base.py`` (modes with an engine),
``storage/fslike.py`` and ``storage/swift.py`` (mode ``cinder``). With Swift, data is cut into
segments, and mode ``cinder`` keeps its notes in the headers of an empty object.
"""

import bisect
import itertools
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.storages import StorageKind

_ENGINES: Final = {Mode.FS: "tar", Mode.NOVA: "nova", Mode.TENANT: "nova", Mode.GLANCE: "glance"}


@attrs.frozen(kw_only=True)
class BackupLocation:
    """Where a protect has stored its data.

    Attributes:
        container: its container, with all folders above.
        backup_name: the name that the agent stored it under.
        hostname: the host's name that the agent stored it under.
    """

    container: str
    backup_name: str
    hostname: str


@attrs.frozen(kw_only=True)
class StoredCopy:
    """One stored copy of a resource, by paths below the container.

    Attributes:
        data: what holds the data.
        notes: what holds the agent's notes, empty where it is missing. A restore needs them.
        engine: what holds the engine's own notes, such as ``compression``; empty for volumes.
    """

    data: tuple[str, ...]
    metadata: str
    engine_metadata: str = ""


class Listing:
    """All that is stored, by paths below the container; on Swift these are many.

    Args:
        paths: in any order.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = sorted(paths)

    def with_prefix(self, text: str) -> Sequence[str]:
        """Return the paths that start so, in order."""
        first = bisect.bisect_left(self._paths, text)
        following = (self._paths[at] for at in range(first, len(self._paths)))
        return list(itertools.takewhile(lambda path: path.startswith(text), following))

    def __contains__(self, path: str) -> bool:
        at = bisect.bisect_left(self._paths, path)
        return at < len(self._paths) and self._paths[at] == path


def find_copy(
    stored: Listing, kind: StorageKind, location: BackupLocation, mode: Mode, resource_id: str
) -> StoredCopy | None:
    """Find the newest copy of a resource, which is the one that a restore takes.

    Args:
        stored: all that is stored.
        kind: of the storage.
        location: where the protect has stored its data.
        mode: the agent's mode; of a project in mode ``tenant``, one server is asked for.
        resource_id: the resource's id.

    Returns:
        None where there is none.
    """
    if mode is Mode.CINDER:
        return _find_volume_copy(stored, kind, location, resource_id)
    return _find_engine_copy(stored, kind, location, mode, resource_id)


def project_list_path(project: str) -> str:
    """Return the path of the list of servers that mode ``tenant`` keeps of a project."""
    return f"project_{project}"


def _find_volume_copy(
    stored: Listing, kind: StorageKind, location: BackupLocation, volume: str
) -> StoredCopy | None:
    root = f"{location.container}_segments/{volume}" if kind is StorageKind.SWIFT else volume
    time = _newest_time(stored, root)
    if time is None:
        return None
    folder = f"{root}/{time}"
    if kind is StorageKind.SWIFT:
        return _build_copy(stored, data=f"{folder}/segments/", notes=f"{folder}/{time}")
    return _build_copy(stored, data=f"{folder}/{volume}", notes=f"{folder}/metadata")


def _find_engine_copy(
    stored: Listing, kind: StorageKind, location: BackupLocation, mode: Mode, resource_id: str
) -> StoredCopy | None:
    root = f"{_ENGINES[mode]}/{location.hostname}_{location.backup_name}"
    if mode is not Mode.FS:
        root = f"{root}/{resource_id}"
    time = _newest_time(stored, f"data/{root}")
    if time is None:
        return None
    folder = f"{root}/{time}/0_{time}"
    data = "segments/" if kind is StorageKind.SWIFT else "data"
    copy = _build_copy(stored, data=f"data/{folder}/{data}", notes=f"data/{folder}/engine_metadata")
    # The agent finds a backup by the folder of this file, so it belongs to the notes.
    engine = f"metadata/{folder}/metadata"
    if engine not in stored:
        return attrs.evolve(copy, metadata="")
    return attrs.evolve(copy, engine_metadata=engine)


def _newest_time(stored: Listing, root: str) -> str | None:
    """Return the latest time below a folder; the agent names its folders by seconds since 1970."""
    below = stored.with_prefix(f"{root}/")
    times = {path.removeprefix(f"{root}/").partition("/")[0] for path in below}
    return max((time for time in times if time.isdecimal()), key=int, default=None)


def _build_copy(stored: Listing, *, data: str, notes: str) -> StoredCopy:
    return StoredCopy(
        data=tuple(stored.with_prefix(data)),
        metadata=notes if notes in stored else "",
    )
