"""Pytest's way to the sandbox: ``pytest_plugins = ["sandbox.pytest_plugin"]``.

One sandbox serves the whole run, also when pytest-xdist spreads it over several processes. It comes
up when the first test asks for it, beside any that a person has brought up, and goes with the run.
"""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud import Sandbox
from sandbox.instance import Instance
from sandbox.layout import Project
from sandbox.ports import no_proxy_variables

ROOT = Path(__file__).parents[1]

_LOG_TAIL = 10

_OWNER = "KARBOR_BACKUP_TEST_RUN"
"""The environment variable that tells pytest-xdist's workers which process the run belongs to."""

FAILED = pytest.StashKey[bool]()
"""Where a test's stash says whether any part of the test has failed."""


def pytest_configure() -> None:
    """Make this process the run's owner, unless it is a worker of the owner."""
    os.environ.setdefault(_OWNER, str(os.getpid()))
    # What is tested must not look for loopback behind a proxy of the machine's.
    os.environ.update(no_proxy_variables(os.environ))


def pytest_sessionfinish() -> None:
    """Take the run's sandbox down."""
    if not _is_owner():
        return
    project = Project(ROOT)
    instance = Instance(project, project.instance(_instance_name()))
    if instance.layout.home.exists():
        with project.lock():
            instance.take_down()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the servers' logs beside a test that failed: they are gone after the run."""
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    if report.failed and "sandbox" in getattr(item, "fixturenames", ()):
        logs = Project(ROOT).instance(_instance_name()).logs
        for log in sorted(logs.glob("*.log")):
            report.sections.append((f"end of the sandbox's {log.name}", _log_tail(log)))
    return report


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """Return the run's sandbox."""
    return Sandbox.up(ROOT, instance=_instance_name(), owner=int(os.environ[_OWNER]))


@pytest.fixture(scope="session")
def sandbox_part(sandbox: Sandbox) -> Callable[[str], Any]:
    """Return what brings up an optional part of the run's sandbox and tells what is to be known."""
    return sandbox.part


def attach_if_up() -> Sandbox | None:
    """Return the run's sandbox if it is up, to the process that the run belongs to.

    A plugin's ``pytest_sessionfinish`` with ``tryfirst`` looks with this at what the run has left.
    """
    layout = Project(ROOT).instance(_instance_name())
    return (
        Sandbox.attach(ROOT, instance=layout.name)
        if _is_owner() and layout.state.exists()
        else None
    )


def _is_owner() -> bool:
    return os.environ[_OWNER] == str(os.getpid())


def _instance_name() -> str:
    return f"tests-{os.environ[_OWNER]}"


def _log_tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL:])
