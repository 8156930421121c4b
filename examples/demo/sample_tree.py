"""A directory tree with all that makes backups hard, the same for the same seed."""

import os
import random
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

ODD_NAMES: Final = (
    "with spaces  and more ",
    "-rf",
    "--delete",
    "'single' \"double\" `back`",
    "$(touch oops) ; exit 1 & # no",
    "back\\slash and \\n",
    "100% {name} [a-z]*?",
    "line\nbreak",
    "tab\tand bell\a",
    "Grüße, žluťoučký kůň",
    "日本語のファイル",
    "e\u0301 decomposed, \u00e9 composed",
    "\U0001f4be",
    ".hidden",
    "...",
    "~",
    "x" * 255,
)
"""Names that have broken backups before; what is not UTF-8 is added where it can be."""

NOT_UTF_8: Final = os.fsdecode(b"latin-1 \xe9t\xe9")

_MODES: Final = (0o644, 0o600, 0o400, 0o000, 0o755, 0o777, 0o4755, 0o2750)
_FOLDER_MODES: Final = (0o700, 0o1777, 0o2755, 0o555)
_UMASK: Final = 0o022
_YEAR: Final = 365 * 24 * 3600
_NEWEST: Final = 1_767_225_600  # 2026-01-01


@attrs.frozen
class TreeSize:
    """How large a tree is to be.

    Attributes:
        files: how many regular files, beside the odd ones.
        megabytes: how much is in them, about.
        seed: the same seed makes the same tree.
    """

    files: int = 2000
    megabytes: int = 64
    seed: int = 19


def make_tree(root: Path, plan: TreeSize) -> None:
    """Make a tree in a directory that does not exist yet."""
    umask = os.umask(_UMASK)  # the tree is the same under each
    try:
        _fill_tree(root, plan)
    finally:
        os.umask(umask)


def _fill_tree(root: Path, plan: TreeSize) -> None:
    chance = random.Random(plan.seed)  # noqa: S311 - it is to be the same every time
    root.mkdir(parents=True)
    folders = _make_folders(root, chance, max(1, plan.files // 40))
    _make_files(folders, chance, plan)
    _make_odd_names(root / "odd names", chance)
    _make_links(root / "links")
    _make_special_content(root / "content", chance)
    _make_modes(root / "modes", chance)
    _set_times(root, chance)


def _make_folders(root: Path, chance: random.Random, count: int) -> Sequence[Path]:
    folders = [root]
    for number in range(count):
        folder = chance.choice(folders) / f"{chance.choice('abcdefgh')}{number}"
        folder.mkdir()
        folders.append(folder)
    return folders


def _make_files(folders: Sequence[Path], chance: random.Random, plan: TreeSize) -> None:
    """Many small files and a few large ones, as on real disks."""
    sizes = [chance.paretovariate(0.8) for _ in range(plan.files)]
    scale = plan.megabytes * 1_000_000 / sum(sizes) if sizes else 0.0
    for number, size in enumerate(sizes):
        suffix = chance.choice(("txt", "jpg", "db", "log"))
        path = chance.choice(folders) / f"file-{number}.{suffix}"
        path.write_bytes(chance.randbytes(int(size * scale)))


def _make_odd_names(folder: Path, chance: random.Random) -> None:
    folder.mkdir()
    for name in _list_names(folder):
        (folder / name).write_bytes(chance.randbytes(100))
        inner = folder / "folders" / name
        inner.mkdir(parents=True)
        (inner / "inside").write_bytes(chance.randbytes(100))


def _list_names(folder: Path) -> Iterator[str]:
    yield from ODD_NAMES
    try:
        (folder / NOT_UTF_8).touch()
    except OSError:
        return  # some file systems take nothing but UTF-8
    yield NOT_UTF_8


def _make_links(folder: Path) -> None:
    folder.mkdir()
    (folder / "target").write_bytes(b"what the links lead to\n")
    (folder / "folder").mkdir()
    (folder / "to a file").symlink_to("target")
    (folder / "to a folder").symlink_to("folder")
    (folder / "absolute").symlink_to(folder.resolve() / "target")
    (folder / "dangling").symlink_to("nowhere/at all")
    (folder / "to itself").symlink_to("to itself")
    (folder / "with a\nline break").symlink_to("odd 'target'")
    (folder / "second name of the target").hardlink_to(folder / "target")
    (folder / "folder" / "third name").hardlink_to(folder / "target")


def _make_special_content(folder: Path, chance: random.Random) -> None:
    folder.mkdir()
    (folder / "empty").touch()
    (folder / "empty folder").mkdir()
    (folder / "every byte").write_bytes(bytes(range(256)) * 16)
    (folder / "zeros").write_bytes(bytes(100_000))
    (folder / "no line end").write_bytes(b"the last line has none")
    (folder / "block, less one").write_bytes(chance.randbytes(511))
    (folder / "block, and one").write_bytes(chance.randbytes(10_241))
    with (folder / "sparse").open("wb") as file:
        file.seek(2_000_000)
        file.write(b"after a hole")


def _make_modes(folder: Path, chance: random.Random) -> None:
    folder.mkdir()
    for mode in (mode for mode in _MODES if _is_restorable(mode, stat.S_IRUSR)):
        path = folder / f"file {mode:04o}"
        path.write_bytes(chance.randbytes(10))
        path.chmod(mode)
    for mode in (mode for mode in _FOLDER_MODES if _is_restorable(mode, stat.S_IRWXU)):
        inner = folder / f"folder {mode:04o}"
        inner.mkdir()
        (inner / "inside").write_bytes(chance.randbytes(10))
        inner.chmod(mode)


def _is_restorable(mode: int, needed: int) -> bool:
    """Whether an agent that runs as this user can bring a file or folder of that mode back.

    GNU tar, which Freezer's agent 19.0.0 runs without ``--preserve-permissions``, gives special
    bits and what the umask withholds to root only. An ordinary user's agent cannot read a file that
    its owner may not read either, nor write into such a folder.

    Args:
        mode: the permissions.
        needed: the bits that an ordinary user's agent depends on.
    """
    return os.geteuid() == 0 or not (mode & (0o7000 | _UMASK) or ~mode & needed)


def _set_times(root: Path, chance: random.Random) -> None:
    """Give everything a time of its own in the past; folders after all that is in them."""
    for folder, folders, files in os.walk(root, topdown=False):
        for name in (*files, *folders):
            path = os.path.join(folder, name)  # noqa: PTH118 - names that Path would change
            age = chance.randrange(1, 20 * _YEAR)
            os.utime(path, (_NEWEST - age, _NEWEST - age), follow_symlinks=False)
    os.utime(root, (_NEWEST, _NEWEST))


def remove_tree(root: Path) -> None:
    """Remove a tree, also where modes forbid it; nothing there is no error."""
    if not root.is_symlink() and not root.exists():
        return
    for folder, folders, _ in os.walk(root):
        for name in (".", *folders):
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(stat.S_IRWXU)
    shutil.rmtree(root)
