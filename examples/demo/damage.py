"""Everything bad that can happen to a directory, done on purpose."""

import os
import random
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

Damage: TypeAlias = Callable[[Path], None]

_FILE_SHARE: Final = 0.02
"""Which share of all files each kind of harm is done to."""


def damage_tree(root: Path, seed: int = 7) -> dict[str, int]:
    """Do every kind of harm to a tree; answer how often each was done, in words.

    Needs a tree with a few hundred files, so that each kind finds files of its own.
    """
    chance = random.Random(seed)  # noqa: S311 - it is to be the same every time
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    special = [path for path in files if path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
    files = [path for path in files if path not in special]
    chance.shuffle(files)
    each = max(1, int(len(files) * _FILE_SHARE))
    # Over such a file that is still there Freezer 19.0.0 brings back all but these bits (tar's
    # --overwrite drops them); gone, it comes back whole.
    done: dict[str, int] = {}
    if special:  # an ordinary user's tree has none
        done["set-user-id and set-group-id files deleted"] = _delete_files(special)
    for number, (what, harm) in enumerate(_FILE_DAMAGE.items()):
        victims = files[number * each : (number + 1) * each]
        for victim in victims:
            harm(victim)
        done[what] = len(victims)
    done["links led astray"] = _break_links(root)
    done["folders removed with all in them"] = _remove_folders(root, chance)
    done["files and folders added"] = _add_entries(root)
    return done


def _delete_files(files: Sequence[Path]) -> int:
    for path in files:
        path.unlink()
    return len(files)


def _flip_byte(path: Path) -> None:
    """Change one byte; size and time stay as they were, so that only its content shows it."""
    status = path.stat()
    content = bytearray(path.read_bytes()) or bytearray(b"\x00")
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _overwrite(path: Path) -> None:
    path.write_bytes(b"pay, and you will see your files again\n")


def _change_mode(path: Path) -> None:
    path.chmod(path.stat().st_mode ^ 0o111)


def _replace_with_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


_FILE_DAMAGE: Final[Mapping[str, Damage]] = {
    "files deleted": Path.unlink,
    "files cut in half": _truncate,
    "files overwritten": _overwrite,
    "files with one byte flipped, same size and time": _flip_byte,
    "files with another mode": _change_mode,
    "files touched": Path.touch,
    "files replaced by folders": _replace_with_folder,
}


def _break_links(root: Path) -> int:
    links: Sequence[Path] = [path for path in root.rglob("*") if path.is_symlink()]
    for link in links:
        link.unlink()
        link.symlink_to("elsewhere")
    return len(links)


def _remove_folders(root: Path, chance: random.Random) -> int:
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
    victims = chance.sample(folders, max(1, len(folders) // 4))
    for victim in victims:
        shutil.rmtree(victim)
    return len(victims)


def _add_entries(root: Path) -> int:
    (root / "not there before").write_text("I should not be here.\n")
    (root / "new folder").mkdir()
    (root / "new folder" / "new file").touch()
    return 3
