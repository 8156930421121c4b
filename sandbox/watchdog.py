"""Takes a sandbox down when the process that brings it up, or owns it, has ended, however it ended.

usage: python -m sandbox.watchdog ROOT INSTANCE PID CREATED

An exit handler does not run in a process that is killed, and a signal that the system sends on a
parent's death does not reach the agents that a server has started. This does both.
"""

import os
import select
import sys
from pathlib import Path

from sandbox.instance import Instance
from sandbox.layout import Layout, Project
from sandbox.processes import ProcessId
from sandbox.services import Service, server_environ

NAME = "watchdog"


def service(project: Project, layout: Layout, watched: ProcessId) -> Service:
    """Return the watchdog of an instance."""
    arguments = [str(project.root), layout.name, str(watched.pid), repr(watched.created)]
    return Service(
        name=NAME,
        command=[sys.executable, "-m", "sandbox.watchdog", *arguments],
        environ=server_environ(
            layout, Path(sys.executable).parent, {"PYTHONPATH": str(project.root)}
        ),
        directory=project.root,
        log=layout.logs / f"{NAME}.log",
    )


def wait_for_exit(process: ProcessId) -> None:
    """Return when a process has ended; at once if it has already."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        # Only now is it certain that the descriptor is this very process's.
        if process.process() is not None:
            select.select([descriptor], [], [])
    finally:
        os.close(descriptor)


def main(root: str, name: str, pid: str, created: str) -> None:
    """Wait for the process's end; then take the instance down, unless it is up and is to stay."""
    wait_for_exit(ProcessId(int(pid), float(created)))
    project = Project(Path(root))
    instance = Instance(project, project.instance(name))
    with project.lock():
        if instance.is_abandoned:
            instance.take_down()


if __name__ == "__main__":
    main(*sys.argv[1:])
