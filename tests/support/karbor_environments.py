"""Karbor's environments, made by the project's own scripts and cached, for several conftests."""

from pathlib import Path

import pytest

from sandbox import karbor
from sandbox.environments import Environment
from sandbox.layout import Project

ROOT = Path(__file__).parents[2]


def _report_nothing(_: str) -> None:
    """Report nothing."""


@pytest.fixture(scope="session")
def newest_karbor() -> Environment:
    """Karbor's protection service on the newest dependencies."""
    return karbor.newest(Project(ROOT), _report_nothing)


@pytest.fixture(scope="session")
def full_karbor() -> Environment:
    """Karbor with all of its services."""
    return karbor.services(Project(ROOT), _report_nothing)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return a folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "karbor"
    folder.mkdir(exist_ok=True)
    return folder
