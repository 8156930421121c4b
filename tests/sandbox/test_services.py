"""Servers are ready when they say they are, and tell why when they are not."""

import socket
from collections.abc import Callable

import pytest
import requests

from sandbox import processes, services
from sandbox.errors import ServiceError
from sandbox.instance import Instance
from sandbox.ports import HOST, free_port
from sandbox.services import PortTakenError, Service
from tests.support.waiting import wait_until

MakeService = Callable[..., Service]


def test_server_is_ready_when_it_answers(instance: Instance, web_service: MakeService) -> None:
    started = instance.start(web_service)

    assert started.is_running
    assert requests.get(f"http://{HOST}:{started.port}", timeout=5).ok


def test_server_is_ready_when_its_log_has_the_text(
    instance: Instance, python_service: MakeService
) -> None:
    code = "import time; print('one'); time.sleep(0.3); print('two'); time.sleep(60)"
    started = instance.launch(python_service(code, ready_text="two\n"))

    instance.wait(started)

    assert started.read_log_since_start() == "one\ntwo\n"


def test_log_of_an_earlier_start_is_ignored(
    instance: Instance, python_service: MakeService
) -> None:
    service = python_service("import time; print('ready'); time.sleep(60)", ready_text="ready")
    instance.wait(instance.launch(service))
    instance.stop(service.name)
    silent = python_service("import time; time.sleep(60)", ready_text="ready")

    started = instance.launch(silent)

    with pytest.raises(ServiceError, match="not ready"):
        services.wait_until_server_ready(started, timeout=0.5)


def test_server_that_ended_is_reported_with_its_exit_status(
    instance: Instance, python_service: MakeService
) -> None:
    started = instance.launch(
        python_service("raise SystemExit('no such database')", port=free_port())
    )

    with pytest.raises(
        ServiceError, match=r"code ended while it was starting.*\n.*code\.log:\n"
    ) as error:
        services.wait_until_server_ready(started)

    assert str(error.value).endswith("no such database")


def test_server_that_is_not_ready_in_time_is_reported_with_its_log(
    instance: Instance, python_service: MakeService
) -> None:
    code = "import time; print('still migrating'); time.sleep(60)"
    started = instance.launch(python_service(code, port=free_port()))
    wait_until(lambda: "still migrating" in started.read_log_since_start())

    with pytest.raises(ServiceError, match=r"not ready after 1 seconds") as error:
        services.wait_until_server_ready(started, timeout=1)

    assert str(error.value).endswith("still migrating")


def test_missing_program_is_refused_by_name(
    instance: Instance, python_service: MakeService
) -> None:
    service = python_service("")
    service.command[0] = "/no/such/program"

    with pytest.raises(ServiceError, match=r"code cannot be started: .*/no/such/program"):
        instance.launch(service)


def test_answer_of_another_process_on_the_port_is_ignored(
    instance: Instance, web_service: MakeService, python_service: MakeService
) -> None:
    port = instance.start(web_service).port
    impostor = python_service(
        "import time; time.sleep(60)", port=port, health_url=f"http://{HOST}:{port}/"
    )

    with pytest.raises(ServiceError, match="not ready"):
        services.wait_until_server_ready(instance.launch(impostor), timeout=0.5)


def test_port_in_use_is_reported(instance: Instance, web_service: MakeService) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        started = instance.launch(web_service(taken.getsockname()[1]))

        with pytest.raises(PortTakenError, match="found port"):
            instance.wait(started)


def test_servers_are_killed_when_the_longest_time_that_one_needs_is_over(
    instance: Instance, python_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import time; time.sleep(60)"
    needed = {"quick": 1.0, "slow": 200.0}
    started = [
        instance.launch(python_service(code, name=name, grace=grace))
        for name, grace in needed.items()
    ]
    given: list[float] = []
    monkeypatch.setattr(processes, "terminate", lambda _, *, grace: given.append(grace))

    instance.stop_all(each.service.name for each in started)

    assert given == [200.0]


def test_servers_are_recorded(instance: Instance, web_service: MakeService) -> None:
    started = instance.start(web_service)

    assert services.load_servers(instance.layout.records) == {"web": started}
