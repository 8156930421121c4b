"""A sandbox goes with its owner, however the owner goes."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import watchdog
from sandbox.accounts import make_accounts
from sandbox.environments import Environment
from sandbox.instance import Instance
from sandbox.processes import ProcessId
from sandbox.services import Service, StartedServer
from sandbox.state import State
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]) as owner:
        yield owner
        owner.kill()


@pytest.fixture
def watched(
    instance: Instance,
    web_service: Callable[..., Service],
    owner: subprocess.Popen[bytes],
) -> StartedServer:
    server = instance.start(web_service)
    (instance.project.root / "sandbox").symlink_to(CHECKOUT / "sandbox")
    instance.launch(watchdog.service(instance.project, instance.layout, ProcessId.of(owner.pid)))
    return server


def state(owner: ProcessId | None) -> State:
    return State(
        owner=owner,
        environment=Environment(Path("/nowhere")),
        auth_url="",
        freezer_url="",
        accounts=make_accounts(),
    )


def test_instance_of_a_killed_owner_is_taken_down(
    instance: Instance, watched: StartedServer, owner: subprocess.Popen[bytes]
) -> None:
    instance.write_state(state(ProcessId.of(owner.pid)))

    owner.send_signal(signal.SIGKILL)
    owner.wait()

    wait_until(lambda: not instance.layout.home.exists())
    assert not watched.is_running


def test_incomplete_instance_of_a_killed_owner_is_taken_down(
    instance: Instance, watched: StartedServer, owner: subprocess.Popen[bytes]
) -> None:
    owner.kill()
    owner.wait()

    wait_until(lambda: not instance.layout.home.exists())
    assert not watched.is_running


def test_instance_without_owner_is_kept(
    instance: Instance, watched: StartedServer, owner: subprocess.Popen[bytes]
) -> None:
    instance.write_state(state(owner=None))

    owner.kill()
    owner.wait()

    wait_until(lambda: not instance.servers()[watchdog.NAME].is_running)
    assert watched.is_running


def test_watchdog_ends_with_its_sandbox(instance: Instance, watched: StartedServer) -> None:
    dog = instance.servers()[watchdog.NAME]

    instance.take_down()

    assert not watched.is_running
    assert not dog.is_running


def test_wait_for_exit_returns_for_a_process_that_has_ended(owner: subprocess.Popen[bytes]) -> None:
    ended = ProcessId.of(owner.pid)
    owner.kill()
    owner.wait()

    watchdog.wait_for_exit(ended)


def test_wait_for_exit_returns_for_a_reused_pid(owner: subprocess.Popen[bytes]) -> None:
    watchdog.wait_for_exit(ProcessId(owner.pid, created=0.0))
