"""An instance starts, stops and ends its servers, whatever state a crash has left it in."""

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import psutil
import pytest

from sandbox.accounts import make_accounts
from sandbox.environments import Environment
from sandbox.errors import NotRunningError, ServiceError
from sandbox.instance import Instance, remove_abandoned
from sandbox.layout import Project
from sandbox.ports import HOST, free_port
from sandbox.processes import ProcessId, terminate
from sandbox.services import PortTakenError, Service
from sandbox.state import State
from tests.sandbox.conftest import is_running

MakeService = Callable[..., Service]

ENDED = ProcessId(pid=os.getpid(), created=0.0)
"""A process that had this one's number long ago."""


def state(owner: ProcessId | None) -> State:
    return State(
        owner=owner,
        environment=Environment(Path("/nowhere")),
        auth_url="http://127.0.0.1:1/v3",
        freezer_url="http://127.0.0.1:2",
        accounts=make_accounts(),
    )


def test_start_retries_on_another_port_when_one_is_in_use(
    instance: Instance, web_service: MakeService
) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        tried = []

        def first_a_taken_port(port: int) -> Service:
            tried.append(port)
            return web_service(taken.getsockname()[1] if len(tried) == 1 else port)

        started = instance.start(first_a_taken_port)

    assert len(tried) == 2
    assert started.port == tried[1]


def test_start_fails_when_every_port_is_in_use(
    instance: Instance, web_service: MakeService
) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()

        with pytest.raises(PortTakenError):
            instance.start(lambda _port: web_service(taken.getsockname()[1]))


def test_failed_start_of_one_server_stops_the_others(
    instance: Instance, web_service: MakeService, python_service: MakeService
) -> None:
    def servers(ports: Sequence[int]) -> list[Service]:
        return [web_service(ports[0]), python_service("raise SystemExit(1)")]

    with pytest.raises(ServiceError, match="code ended"):
        instance.start_all_on_free_ports(servers, 1)

    assert not any(server.is_running for server in instance.servers().values())


def test_restart_keeps_the_port(instance: Instance, web_service: MakeService) -> None:
    before = instance.start(web_service)

    instance.restart("web")

    after = instance.servers()["web"]
    assert after.port == before.port
    assert after.process != before.process
    assert not before.is_running
    assert after.is_running


def test_stopped_server_stays_recorded(instance: Instance, web_service: MakeService) -> None:
    instance.start(web_service)

    instance.stop("web")
    stopped = instance.servers()["web"]
    instance.restart("web")

    assert (stopped.stopped, stopped.is_running) == (True, False)
    assert instance.servers()["web"].is_running


def test_an_unknown_server_is_refused(instance: Instance, web_service: MakeService) -> None:
    instance.start(web_service)

    with pytest.raises(ServiceError, match="no server 'api' in 'small', only: web"):
        instance.stop("api")


def test_take_down_removes_processes_and_files(
    instance: Instance, web_service: MakeService
) -> None:
    server = instance.start(web_service)
    (instance.layout.home / "more").symlink_to(instance.layout.logs)

    instance.take_down()
    instance.take_down()

    assert not psutil.pid_exists(server.process.pid)
    assert not instance.layout.home.exists()


def test_take_down_can_keep_the_logs(instance: Instance, web_service: MakeService) -> None:
    instance.start(web_service)

    instance.take_down(keep_logs=True)

    assert list(instance.layout.home.rglob("*")) == [
        instance.layout.logs,
        instance.layout.logs / "web.log",
    ]
    remove_abandoned(instance.project)
    assert instance.layout.logs.exists()


def test_take_down_ends_a_server_without_a_record(
    instance: Instance, web_service: MakeService
) -> None:
    server = instance.start(web_service)
    (instance.layout.records / "web.json").unlink()

    instance.take_down()

    assert server.process.process() is None


def test_state_of_an_instance_that_is_not_up_raises(instance: Instance) -> None:
    with pytest.raises(NotRunningError, match="'small' is not up"):
        _ = instance.state


def test_state_is_read_as_it_was_written(instance: Instance) -> None:
    kept = state(owner=None)

    instance.write_state(attrs.evolve(kept, parts={"ssh": {"port": 22}}))

    assert instance.is_up
    assert instance.state == attrs.evolve(kept, parts={"ssh": {"port": 22}})


def test_folder_and_state_are_readable_by_the_owner_only(instance: Instance) -> None:
    instance.write_state(state(owner=None))

    assert instance.layout.home.stat().st_mode & 0o077 == 0
    assert instance.layout.state.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("owner", "left"),
    [
        pytest.param(None, False, id="half up"),
        pytest.param(state(owner=ENDED), False, id="owner gone"),
        pytest.param(state(owner=ProcessId.of(os.getpid())), True, id="owner there"),
        pytest.param(state(owner=None), True, id="to stay"),
    ],
)
def test_remove_abandoned_removes_an_instance_after_a_crash(
    instance: Instance, web_service: MakeService, owner: State | None, *, left: bool
) -> None:
    server = instance.start(web_service)
    if owner is not None:
        instance.write_state(owner)

    remove_abandoned(instance.project)

    assert (server.process.process() is not None) == left
    assert instance.layout.home.exists() == left


def test_remove_abandoned_removes_an_instance_after_a_power_failure(
    instance: Instance, web_service: MakeService
) -> None:
    server = instance.start(web_service)
    instance.write_state(state(owner=None))
    terminate([server.process])

    remove_abandoned(instance.project)

    assert not instance.layout.home.exists()


def test_failed_start_ends_child_processes(instance: Instance, python_service: MakeService) -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid); raise SystemExit(1)"
    service = python_service(code, ready_text="never")

    with pytest.raises(ServiceError, match="code ended"):
        instance.start_all([service])

    assert not is_running(int(service.log.read_text()))


def test_remove_abandoned_without_instances_does_nothing(project: Project) -> None:
    remove_abandoned(project)

    assert not project.sandboxes.exists()


def test_free_port_is_below_the_ephemeral_range() -> None:
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    assert free_port() < first_outgoing
