"""Whether two directory trees are the same, and exactly where they are not."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import attrs

Tree: TypeAlias = Mapping[str, "Entry"]
"""What is in a tree, by path below its root."""

_KINDS: Final = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
}


@attrs.frozen
class Entry:
    """One file, folder or link.

    Attributes:
        kind: which of them.
        content: of a file the SHA-256 and the size of its bytes; of a link its target.
        mode: the permissions, with setuid, setgid and sticky.
        owner: user and group, by number.
        modified: the time of the last change, in whole seconds, which is what tar keeps.
        names: all paths in the tree that are this very file.
    """

    kind: str
    content: str
    mode: int
    owner: tuple[int, int]
    modified: int
    names: tuple[str, ...]


@attrs.frozen(order=True)
class Difference:
    """One thing in which two trees differ.

    Attributes:
        path: where.
        what: "missing", "extra", or the name of the attribute of ``Entry`` that differs.
    """

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.what}: {self.path!r}"


def read_tree(root: Path) -> dict[str, Entry]:
    """Read a whole tree, every byte of it.

    Raises:
        OSError: something in it cannot be read.
    """
    stats = {path: os.lstat(root / path) for path in _walk_paths(root)}
    names: dict[tuple[int, int], list[str]] = {}
    for path, status in sorted(stats.items()):
        names.setdefault((status.st_dev, status.st_ino), []).append(path)
    return {
        path: _read_entry(root / path, status, tuple(names[status.st_dev, status.st_ino]))
        for path, status in stats.items()
    }


def diff_trees(before: Tree, after: Tree) -> list[Difference]:
    """Return all in which a tree differs from what it was."""
    differences = [Difference(path, "missing") for path in before.keys() - after.keys()]
    differences += [Difference(path, "extra") for path in after.keys() - before.keys()]
    for path in before.keys() & after.keys():
        ours, theirs = before[path], after[path]
        differences += [
            Difference(path, field.name)
            for field in attrs.fields(Entry)
            if getattr(ours, field.name) != getattr(theirs, field.name)
        ]
    return sorted(differences)


def count_by_kind(tree: Tree) -> dict[str, int]:
    """Count what is in a tree, by kind."""
    return dict(Counter(entry.kind for entry in tree.values()))


def _walk_paths(root: Path) -> Iterator[str]:
    yield "."
    for folder, folders, files in os.walk(root, onerror=_raise_error):
        for name in (*folders, *files):
            yield os.path.relpath(os.path.join(folder, name), root)  # noqa: PTH118 - stays a str


def _raise_error(error: OSError) -> None:
    raise error


def _read_entry(path: Path, status: os.stat_result, names: tuple[str, ...]) -> Entry:
    kind = _KINDS[stat.S_IFMT(status.st_mode)]
    content = ""
    if kind == "file":
        with path.open("rb") as file:
            content = f"{hashlib.file_digest(file, 'sha256').hexdigest()} {status.st_size}"
    elif kind == "link":
        content = os.readlink(path)  # noqa: PTH115 - a Path would change the target
    return Entry(
        kind=kind,
        content=content,
        mode=stat.S_IMODE(status.st_mode),
        owner=(status.st_uid, status.st_gid),
        modified=int(status.st_mtime),
        names=names if kind == "file" else (),
    )
