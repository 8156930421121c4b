"""A repository, directories and files to protect, and a restic that fails when it is told to."""

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import psutil

from karbor_backup_contract import Fault, Inventory, WithdrawFault
from karbor_backup_contract.local_files import list_paths
from karbor_backup_core import Backend, Backup, Resource
from karbor_backup_restic import OUTPUT, ResticBackend
from karbor_backup_restic.harness import FileResources
from tests.support.waiting import wait_until

PASSWORD: Final = "canary-of-the-repository-s-password"  # noqa: S105 - made for the tests


FAULTY_PROGRAMS: Final = {
    Fault.FAIL: ("work", '"$RESTIC" "$@"; echo "Fatal: planned failure" >&2; exit 1'),
    Fault.FAIL_CLEANUP: (
        "work",
        """"$RESTIC" "$@"
        echo "$REFUSE" >"$FAULTS/cleanup.forget"
        echo "Fatal: planned failure" >&2
        exit 1""",
    ),
    Fault.STALL: ("work", "exec sleep 600"),
    Fault.IGNORES_CANCEL: ("unheeding-work", 'await_cancel; exec setsid -w "$RESTIC" "$@"'),
    Fault.UNCANCELLABLE: (
        "unheeding-work",
        'await_cancel; sleep 8; exec setsid -w "$RESTIC" "$@"',
    ),
    Fault.BUSY: ("request", 'echo "Fatal: dial tcp: connect: connection refused" >&2; exit 1'),
    Fault.REFUSE: ("request", 'eval "$REFUSE"'),
}
"""What a faulty restic does, and at which call: the next of a hook, or the next work of a job."""

REQUEST_FAULTS: Final = {
    Fault.BUSY: FAULTY_PROGRAMS[Fault.BUSY][1],
    Fault.REFUSE: FAULTY_PROGRAMS[Fault.REFUSE][1],
    Fault.LOSE_REPLY: '"$RESTIC" "$@" >&2; echo "Fatal: read tcp: i/o timeout" >&2; exit 1',
}
"""What a faulty restic does at a certain call of a hook."""

UNINTERRUPTIBLE: Final = 'trap "" INT; exec sleep 600'
"""Work that ends only when it is killed."""

_WRAPPER: Final = """\
#!/bin/sh
# The real restic, but for the next call that a pending fault is for.
RESTIC={program}
FAULTS={faults}
REFUSE='echo "Fatal: wrong password or no key found" >&2; exit 1'
kind=other
for word in "$@"; do
    case $word in
        backup|restore|dump|prune|check|copy) kind=work; break;;
        forget) kind=forget; break;;
    esac
done
if [ -z "$KARBOR_BACKUP_JOB" ]; then
    [ "$kind" = forget ] || kind=request
    echo >>"$FAULTS/requests/made"
    numbered=$FAULTS/requests/$(wc -l <"$FAULTS/requests/made")
    if [ -e "$numbered" ] && mv "$numbered" "$numbered.met"; then
        . "$numbered.met"
    fi
fi
# Work that is to end after its cancel does not end before it, however late that comes.
await_cancel() {{
    until [ "$cancelled" ]; do sleep 0.05; done
    trap "" INT
}}
for fault in "$FAULTS"/*.$kind "$FAULTS"/*.unheeding-$kind; do
    [ -e "$fault" ] || continue
    # Whoever sees that the fault is met may cancel at once.
    case $fault in *.unheeding-*) trap cancelled=yes INT;; esac
    # Only one call wins the fault.
    if mv "$fault" "$fault.met" 2>/dev/null; then
        . "$fault.met"
    fi
    trap - INT
done
exec "$RESTIC" "$@"
"""


_COMMANDS: Final = 100
"""How many outputs of commands one test can make: the configuration names them all."""


@attrs.frozen
class AllResources(FileResources):
    """Directories, files and outputs of commands.

    Attributes:
        outputs: holds what each command prints, and what is restored of it.
    """

    outputs: Path

    @property
    def commands(self) -> Mapping[str, Any]:
        """The commands as the configuration names them."""
        return {
            name: {
                "arguments": ["cat", str(self.outputs / name)],
                "restore": ["tee", str(self.outputs / f"{name} read back")],
            }
            for name in (f"out{number}" for number in range(_COMMANDS))
        }

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a directory, a file, or what a command prints."""
        if kind != OUTPUT:
            return super().create(kind, name, content)
        # No name comes twice, also where the resource is deleted meanwhile.
        used = self.outputs.with_name("used commands")
        used.mkdir(exist_ok=True)
        command = f"out{len(list(used.iterdir()))}"
        (used / command).touch()
        resource = Resource(OUTPUT, command, name)
        self.write(resource, content)
        return resource

    def read(self, resource: Resource) -> bytes:
        """Return the content of a resource."""
        return self._path(resource).read_bytes() if _is_output(resource) else super().read(resource)

    def write(self, resource: Resource, content: bytes) -> None:
        """Replace the content of a resource."""
        if not _is_output(resource):
            super().write(resource, content)
            return
        self._path(resource).write_bytes(content)

    def delete(self, resource: Resource) -> None:
        """Lose a resource."""
        if not _is_output(resource):
            super().delete(resource)
            return
        self._path(resource).unlink(missing_ok=True)

    def list_present(self) -> Iterator[str]:
        """Return all that there are."""
        yield from super().list_present()
        yield from list_paths(self.outputs)

    def _path(self, resource: Resource) -> Path:
        """Return the file that a command prints, or that was restored: its id is the path."""
        return self.outputs / resource.id


def _is_output(resource: Resource) -> bool:
    return resource.type == OUTPUT


@attrs.frozen
class ResticHarness:
    """A repository in a folder of the test's own.

    Attributes:
        folder: holds the repository, the jobs, and what is protected.
        program: the real restic.
    """

    folder: Path
    program: Path
    variable: str = "TEST_REPOSITORY_PASSWORD"

    @property
    def repository(self) -> Path:
        """The repository's directory."""
        return self.folder / "repository"

    @property
    def source_repository(self) -> Path:
        """The directory of another repository, from which backups are copied; it may be missing."""
        return self.folder / "source repository"

    @property
    def jobs(self) -> Path:
        """The directory of the jobs."""
        return self.folder / "jobs"

    def configuration(self, **changes: Any) -> dict[str, Any]:
        """Return the backend's configuration."""
        return {
            "repository": str(self.repository),
            "password": {"env": self.variable},
            "program": str(self._wrapper()),
            "jobs": str(self.jobs),
            "cache": str(self.folder / "cache"),
            "commands": self.resources.commands,
            "output_directory": str(self.resources.outputs),
            **changes,
        }

    def sources(self) -> dict[str, Any]:
        """Return the configuration by which the backend copies from the other repository."""
        password = {"env": self.variable}
        return {"near": {"repository": str(self.source_repository), "password": password}}

    def backend(self, **changes: Any) -> Backend:
        """Return the backend as the core loads it."""
        return Backend.load("restic", ResticBackend, self.configuration(**changes))

    def processes(self) -> list[psutil.Process]:
        """Return the processes of all jobs."""
        return [process for process in psutil.process_iter() if self._is_of_job(process)]

    def restic_processes(self) -> list[psutil.Process]:
        """Return the processes of restic that work in jobs."""
        return [
            process
            for process in psutil.process_iter()
            if self._is_of_job(process, supervisor=False)
        ]

    def supervisors(self) -> list[psutil.Process]:
        """Return the supervisors of jobs."""
        return [
            process for process in psutil.process_iter() if self._is_of_job(process, restic=False)
        ]

    def end_processes(self) -> None:
        """Kill all processes of all jobs, and those that they start meanwhile, until none lives."""
        wait_until(lambda: not kill(self.processes()))

    def lose_work(self) -> None:
        """Kill all processes of all jobs; what had ended has lost its note, as in a power cut."""
        self.end_processes()
        for status in self.jobs.glob("*/status.json"):
            status.unlink()

    @property
    def faults(self) -> Mapping[Fault, Callable[[], object]]:
        """The faults, each with what makes it happen."""
        planned: dict[Fault, Callable[[], object]] = {
            fault: functools.partial(self.plan_fault, fault.name, *program)
            for fault, program in FAULTY_PROGRAMS.items()
        }
        return {**planned, Fault.LOSE_WORK: self.lose_work}

    @property
    def request_faults(self) -> Mapping[Fault, Callable[[int], WithdrawFault]]:
        """The faults that can meet the n-th call of a hook from now."""
        return {
            fault: functools.partial(self._plan_request_fault, script)
            for fault, script in REQUEST_FAULTS.items()
        }

    def pending_faults(self) -> list[str]:
        """Return the faults that have not happened."""
        files = (path for path in self._faults.glob("*") if path.is_file())
        return [path.name for path in files if path.suffix != ".met"]

    def damage(self, backup: Backup) -> None:
        """Spoil a file's data in a backup, which no other backup uses."""
        snapshot = f"{backup.handle['snapshot']}"
        repository = self._repository_of(snapshot)
        content = self._first_content(snapshot, repository)
        found = self.restic(
            *("--repo", str(repository), "find", "--blob", content, "--show-pack-id", "--no-lock")
        )
        ((pack, offset),) = re.findall(r"belongs to pack (\w+)\n.* offset (\d+),", found)
        path = repository / "data" / pack[:2] / pack
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.seek(int(offset))
            file.write(b"damaged")

    @property
    def _environment(self) -> Mapping[str, str]:
        return {
            "RESTIC_REPOSITORY": str(self.repository),
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_CACHE_DIR": str(self.folder / "cache"),
            "PATH": os.environ["PATH"],
        }

    @contextlib.contextmanager
    def hold_repository(self) -> Iterator[None]:
        """Let somebody else's backup use the repository as long as the ``with`` lasts."""
        with subprocess.Popen(
            [self.program, "backup", "--stdin", "--quiet", "--tag", "of-others"],
            env=self._environment,
            stdin=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            locks = self.repository.joinpath("locks")
            wait_until(lambda: list(locks.glob("[0-9a-f]" * 64)) or process.poll() is not None)
            assert process.poll() is None
            yield
            process.stdin.write(b"its data")
            process.stdin.close()
            assert process.wait() == 0

    def restic(
        self, *arguments: str, password: str = PASSWORD, from_password: str = PASSWORD
    ) -> str:
        """Run the real restic; return what it prints."""
        passwords = {"RESTIC_PASSWORD": password, "RESTIC_FROM_PASSWORD": from_password}
        done = subprocess.run(
            [self.program, *arguments],
            env={**self._environment, **passwords},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def lose_source(self) -> None:
        """Lose the other repository, as when its building has burnt down."""
        shutil.rmtree(self.source_repository)

    def inventory(self) -> Inventory:
        """List the jobs, and locks that belong to none; and the snapshots and files."""
        jobs = [path for path in self.jobs.glob("*") if path.is_dir()]
        # An interrupted restic may leave a temporary file beside them, "ID-tmp-NUMBER".
        locks = [] if jobs else self._files("locks")
        return Inventory(
            bookkeeping=map(str, [*jobs, *locks]),
            data=[
                *map(str, self._files("snapshots")),
                *self.resources.list_present(),
            ],
        )

    def _files(self, kind: str) -> list[Path]:
        """Return the files of a kind in both repositories."""
        return [
            path
            for repository in (self.repository, self.source_repository)
            for path in repository.glob(f"{kind}/" + "[0-9a-f]" * 64)
        ]

    def _repository_of(self, snapshot: str) -> Path:
        (path,) = (path for path in self._files("snapshots") if path.name == snapshot)
        return path.parents[1]

    def _first_content(self, snapshot: str, repository: Path) -> str:
        """Return the id of the data of the first file in a snapshot."""
        read = functools.partial(self.restic, "--repo", str(repository), "cat", "--no-lock")
        tree = json.loads(read("snapshot", snapshot))["tree"]
        while True:
            for node in json.loads(read("blob", tree))["nodes"]:
                if node["type"] == "file":
                    return str(node["content"][0])
                tree = node["subtree"]

    @property
    def resources(self) -> AllResources:
        """What is protected."""
        outputs = self.folder / "outputs"
        outputs.mkdir(exist_ok=True)
        return AllResources(self.folder / "resources", outputs)

    @property
    def _faults(self) -> Path:
        return self.folder / "faults"

    def _wrapper(self) -> Path:
        path = self.folder / "restic"
        if not path.exists():
            self._requests.mkdir(parents=True, exist_ok=True)
            path.write_text(_WRAPPER.format(program=self.program, faults=self._faults))
            path.chmod(0o755)
        return path

    @property
    def _requests(self) -> Path:
        return self._faults / "requests"

    def _plan_request_fault(self, script: str, number: int) -> WithdrawFault:
        made = self._requests / "made"
        count = len(made.read_bytes()) if made.exists() else 0
        planned = self._requests / str(count + number)
        planned.write_text(script)

        def withdraw() -> bool:
            planned.unlink(missing_ok=True)
            return planned.with_suffix(".met").exists()

        return withdraw

    def plan_fault(self, name: str, kind: str, script: str) -> None:
        """Let the next call of a kind be another one's: a line for the shell."""
        number = len(list(self._faults.glob("*")))
        (self._faults / f"{number}-{name}.{kind}").write_text(script)

    def _is_of_job(
        self, process: psutil.Process, *, supervisor: bool = True, restic: bool = True
    ) -> bool:
        try:
            environment = process.environ()
        except psutil.Error:
            return False
        mine = environment.get("KARBOR_BACKUP_JOB", "").startswith(
            f"{os.path.realpath(self.jobs)}/"
        )
        return mine and (supervisor if "KARBOR_BACKUP_SUPERVISOR" in environment else restic)


def kill(processes: Collection[psutil.Process]) -> Collection[psutil.Process]:
    """Kill processes, some of which may end meanwhile; return them."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    return processes
