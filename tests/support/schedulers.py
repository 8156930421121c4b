"""Schedulers of the sandbox's Freezer that work as a test wants, and for nobody else.

All workers of a run share one sandbox. So what a test stops is its own, or is held by one test at a
time.
"""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_freezer.api.http_client import FreezerHttpClient
from sandbox import Sandbox, scheduler
from sandbox.layout import file_lock

CLOUD: Final = "other"
"""A project of its own: no test that leaves the choice to Freezer is given these schedulers."""


@contextlib.contextmanager
def paused_scheduler(sandbox: Sandbox) -> Iterator[None]:
    """Hold the sandbox's own scheduler: what comes to Freezer meanwhile it sees all at once.

    Another test that wants it waits, so that none lets go on what another one holds.
    """
    with file_lock(sandbox.instance.layout.home / "paused-scheduler.lock"):
        server = sandbox.instance.servers()[scheduler.name(scheduler.CLIENT_ID)]
        process = server.process.process()
        assert process is not None, "the sandbox's scheduler does not run"
        process.suspend()
        try:
            yield
        finally:
            process.resume()


@contextlib.contextmanager
def own_scheduler(sandbox: Sandbox, client_id: str) -> Iterator[str]:
    """Run one more scheduler in `CLOUD`; it ends with the block, with an agent that never does.

    Args:
        sandbox: the real Freezer.
        client_id: a name that no other test uses.

    Yields:
        The client id.
    """
    server = sandbox.add_scheduler(client_id, cloud=CLOUD)
    try:
        yield client_id
    finally:
        sandbox.stop(server)


@contextlib.contextmanager
def held_agents(sandbox: Sandbox, client_id: str, folder: Path) -> Iterator[Callable[[], None]]:
    """Run one more scheduler in `CLOUD` whose agents wait before their work.

    Args:
        sandbox: the real Freezer.
        client_id: a name that no other test uses.
        folder: for what this needs.

    Yields:
        What lets them all go on, those that come later too.
    """
    instance, state = sandbox.instance, sandbox.instance.state
    programs, lock = folder / "programs", folder / "held"
    programs.mkdir()
    agent = programs / "freezer-agent"
    real = state.environment.bin / agent.name
    agent.write_text(f'#!/bin/sh\nexec flock --shared --no-fork {lock} {real} "$@"\n')
    agent.chmod(0o755)
    scheduler.configure(
        instance.layout,
        client_id,
        auth_url=sandbox.auth_url,
        account=sandbox.accounts[CLOUD],
        capabilities=scheduler.Capabilities(),
    )
    service = scheduler.service(instance.layout, state.environment.bin, client_id)
    path = f"{programs}:{service.environ['PATH']}"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with instance.project.lock():
            instance.start_all([attrs.evolve(service, environ={**service.environ, "PATH": path})])
        try:
            yield lambda: fcntl.flock(held, fcntl.LOCK_UN)
        finally:
            sandbox.stop(service.name)


@contextlib.contextmanager
def silent_scheduler(
    client: FreezerHttpClient, client_id: str, hostname: str = "far"
) -> Iterator[str]:
    """Register a scheduler that never asks for jobs.

    Args:
        client: of the project that is to have it.
        client_id: a name that no other test uses.
        hostname: its host; another one than this unless given.

    Yields:
        The client id.
    """
    client._send("POST", "clients", json={"client_id": client_id, "hostname": hostname})
    try:
        yield client_id
    finally:
        client.delete_entry("clients", client_id)
