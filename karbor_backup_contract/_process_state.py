"""What a process has that a library in it could change or leave behind."""

import contextlib
import itertools
import locale
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_OWN_PROCESS = Path("/proc/self")
_TIME_ZONES = ("Pacific/Auckland", "America/Los_Angeles")
_NOT_FILES = ("socket:", "/proc/", "/dev/fd")


@contextlib.contextmanager
def separate_temporary_directory() -> Iterator[None]:
    """Let temporary files be made in a directory that no other process uses."""
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        kept, variable = tempfile.tempdir, os.environ.get("TMPDIR")
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            tempfile.tempdir = kept
            _set_variable("TMPDIR", variable)


@contextlib.contextmanager
def changing_surroundings() -> Iterator[Callable[[], None]]:
    """Give a function that changes working directory, time zone and umask; undo it at the end."""
    directory, zone, mask = Path.cwd(), os.environ.get("TZ"), os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        folders = [Path(folder) / name for name in ("one", "two")]
        for each in folders:
            each.mkdir()
        surroundings = itertools.cycle(zip(folders, _TIME_ZONES, (0o077, 0o002), strict=True))

        def change() -> None:
            new_directory, new_zone, new_mask = next(surroundings)
            os.chdir(new_directory)
            os.umask(new_mask)
            _set_time_zone(new_zone)

        try:
            change()
            yield change
        finally:
            os.chdir(directory)
            os.umask(mask)
            _set_time_zone(zone)


def _set_time_zone(zone: str | None) -> None:
    _set_variable("TZ", zone)
    time.tzset()


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def read() -> Mapping[str, str]:
    """Return what there is now, by a name that tells what it is."""
    return {
        "working directory": _working_directory(),
        "umask": f"{_umask():03o}",
        "locale": str(locale.setlocale(locale.LC_ALL)),
        **{f"environment variable {name}": value for name, value in os.environ.items()},
        **{
            f"handler of {signal.Signals(number).name}": repr(signal.getsignal(number))
            for number in signal.valid_signals()
            if isinstance(number, signal.Signals)
        },
        **{f"open file {target}": descriptor for descriptor, target in _open_files()},
        **{f"child process {child}": child for child in _children()},
        **{f"temporary file {name}": name for name in _temporary_files()},
    }


def differences(before: Mapping[str, str]) -> set[str]:
    """Return the names of what is not as it was, but for what was there and is gone."""
    after = read()
    lasting = ("working directory", "umask", "locale", "environment", "handler")
    changed = {name for name, value in after.items() if before.get(name) != value}
    return changed | {name for name in before.keys() - after.keys() if name.startswith(lasting)}


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "gone"


def _umask() -> int:
    # Linux tells it without changing it, which other threads would notice.
    status = _OWN_PROCESS / "status"
    with contextlib.suppress(OSError):
        for line in status.read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _open_files() -> list[tuple[str, str]]:
    """Return the descriptors with what each is open on; sockets have a rule of their own."""
    found = []
    for entry in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):  # the descriptor of the listing itself
            target = entry.readlink()
            found.append((entry.name, f"{target} as {entry.name}"))
    return [(name, target) for name, target in found if not target.startswith(_NOT_FILES)]


def _children() -> list[str]:
    """Return the processes that were started here and are there yet, zombies included."""
    found = []
    for task in _OWN_PROCESS.glob("task/*/children"):
        with contextlib.suppress(OSError):
            found += task.read_text().split()
    return found


def _temporary_files() -> list[str]:
    with contextlib.suppress(OSError):
        return [path.name for path in Path(tempfile.gettempdir()).iterdir()]
    return []
