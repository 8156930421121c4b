"""Freezer's programs that run on this host, as ``/proc`` shows them."""

import configparser
import contextlib
import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

PROC: Final = Path("/proc")

_PROGRAM_NAMES: Final = frozenset({"freezer-scheduler", "freezer-agent"})
_DEFAULT_CONFIGURATION: Final = Path("/etc/freezer/scheduler.conf")
_CONFIGURATION_OPTION: Final = "--config-file"


@attrs.frozen(kw_only=True)
class FreezerProcess:
    """A process of Freezer's scheduler or agent.

    Attributes:
        name: ``freezer-scheduler`` or ``freezer-agent``.
        script: the file that it was started from.
        uid: the user that it runs as.
        gid: its group.
        groups: its further groups.
        umask: its umask, None where the kernel does not tell.
        home: its home folder.
        directory: its working directory, empty where this process may not see it.
        temporary: its folder for temporary files, empty where it is not its own.
        configuration: its configuration file.
        client_id: the client id in that file, empty where it cannot be read.
        jobs_dir: the folder of its jobs in that file, empty where it cannot be read.
    """

    name: str
    script: str
    uid: int
    gid: int
    groups: frozenset[int]
    umask: int | None
    home: str
    directory: str
    temporary: str
    configuration: str
    client_id: str
    jobs_dir: str

    def list_folders(self) -> Iterator[tuple[str, str]]:
        """Yield each folder and file that it works with, and what it is in words."""
        yield f"{self.home}/.freezer", "the agent's work folder"
        yield self.jobs_dir, "the scheduler's folder of jobs"
        yield self.temporary, "the agent's folder for temporary files"
        yield self.configuration, "the scheduler's configuration"
        yield self.directory, f"the working directory of {self.name}"
        yield self.script, f"the program {self.name}"


def find_processes(proc: Path = PROC) -> Sequence[FreezerProcess]:
    """Return Freezer's programs that run on this host now; none where it has no ``/proc``."""
    try:
        pids = [entry for entry in proc.iterdir() if entry.name.isdecimal()]
    except OSError:
        return ()
    found = []
    for pid in pids:
        # A process may end while it is looked at.
        with contextlib.suppress(OSError, ValueError, KeyError):
            if (program := _read_process(pid)) is not None:
                found.append(program)
    return found


def find_scheduler_process(
    client_id: str, programs: Sequence[FreezerProcess]
) -> FreezerProcess | None:
    """Return the process of the scheduler with that client id, None where that is not certain.

    Schedulers of several Freezers may have the same client id on one host. Where they run as
    different users, it is not known which one is meant. A scheduler whose configuration this
    process may not read is taken for it only if no other one runs on this host.
    """
    running = [each for each in programs if each.name == "freezer-scheduler"]
    named = [each for each in running if each.client_id == client_id]
    if named:
        users = {(each.uid, each.gid, each.groups, each.umask) for each in named}
        return named[0] if len(users) == 1 else None
    nameless = [each for each in running if not each.client_id]
    return nameless[0] if len(running) == len(nameless) == 1 else None


def _read_process(pid: Path) -> FreezerProcess | None:
    arguments = (pid / "cmdline").read_bytes().decode(errors="surrogateescape").split("\0")
    at = next((i for i, a in enumerate(arguments[:3]) if Path(a).name in _PROGRAM_NAMES), None)
    if at is None:
        return None
    status = _read_status(pid)
    uid = int(status["Uid"].split()[1])
    environ = _read_environment(pid)
    directory = _read_link(pid / "cwd")
    configuration = _configuration_file(arguments, directory)
    options = _read_options(configuration)
    umask = status.get("Umask")
    return FreezerProcess(
        name=Path(arguments[at]).name,
        script=arguments[at],
        uid=uid,
        gid=int(status["Gid"].split()[1]),
        groups=frozenset(map(int, status.get("Groups", "").split())),
        umask=None if umask is None else int(umask, 8),
        home=environ.get("HOME") or _home_directory(uid),
        directory=directory,
        temporary=environ.get("TMPDIR", ""),
        configuration=str(configuration),
        client_id=options.get("client_id", ""),
        jobs_dir=options.get("jobs_dir", ""),
    )


def _read_status(pid: Path) -> Mapping[str, str]:
    lines = (pid / "status").read_text(errors="replace").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _read_environment(pid: Path) -> Mapping[str, str]:
    """Return the process's environment; only its own user and root may see it."""
    try:
        text = (pid / "environ").read_bytes().decode(errors="surrogateescape")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry)


def _read_link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _home_directory(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return "/nonexistent"


def _configuration_file(arguments: Sequence[str], directory: str) -> Path:
    for index, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option == _CONFIGURATION_OPTION:
            given = value if equals else "".join(arguments[index + 1 : index + 2])
            return Path(os.path.join(directory, given))  # noqa: PTH118 - directory may be empty
    return _DEFAULT_CONFIGURATION


def _read_options(file: Path) -> Mapping[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(file.read_text(errors="replace"))
    except (OSError, configparser.Error):
        return {}
    return {
        name: value
        for section in ("DEFAULT", "scheduler")
        if section == "DEFAULT" or parser.has_section(section)
        for name, value in parser.items(section)
    }
