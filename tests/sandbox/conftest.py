"""An instance with small real servers: what brings servers up and down does not care which."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sandbox import Sandbox
from sandbox.ftp import Ftp
from sandbox.instance import Instance
from sandbox.layout import Project
from sandbox.services import Service, server_environ

MakeService = Callable[..., Service]


def is_running(pid: int) -> bool:
    """Return whether a process runs; one that has ended may be there until its parent asks."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "checkout"
    root.mkdir()
    return Project(root)


@pytest.fixture
def instance(project: Project) -> Iterator[Instance]:
    instance = Instance(project, project.instance("small"))
    instance.layout.make()
    yield instance
    instance.take_down()


@pytest.fixture
def ftp(sandbox: Sandbox) -> Ftp:
    """Return the run's part `ftp`; a fixture has the time to install it, and a test has not."""
    return sandbox.ftp


@pytest.fixture
def python_service(instance: Instance) -> MakeService:
    """Return what makes a service of some Python code."""

    def make(code: str, *, name: str = "code", **more: object) -> Service:
        return Service(
            name=name,
            command=[sys.executable, "-u", "-c", code],
            environ=server_environ(instance.layout, Path(sys.executable).parent),
            directory=instance.layout.home,
            log=instance.layout.logs / f"{name}.log",
            **more,  # type: ignore[arg-type] # checked by the class
        )

    return make


@pytest.fixture
def web_service(instance: Instance) -> MakeService:
    """Return what makes a service that answers HTTP on a port."""

    def make(port: int, *, name: str = "web") -> Service:
        return Service(
            name=name,
            command=[sys.executable, "-m", "http.server", "--bind=127.0.0.1", str(port)],
            environ=server_environ(instance.layout, Path(sys.executable).parent),
            directory=instance.layout.home,
            log=instance.layout.logs / f"{name}.log",
            port=port,
            health_url=f"http://127.0.0.1:{port}/",
        )

    return make
