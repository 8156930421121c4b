"""A real Karbor for each test module, over the fake backend and over the sandbox's Freezer."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.environments import Environment
from tests.e2e.karbor.karbor_service import KarborService
from tests.support.karbor_environments import full_karbor, shared

__all__ = ["full_karbor", "shared"]

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "karbor"
_LOG_TAIL = 300


@pytest.fixture(scope="session")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the example's protectable plugin, installed into a folder."""
    folder = tmp_path_factory.mktemp("directories")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-input"]
    subprocess.run([*pip, "--target", folder, EXAMPLES / "directories"], check=True)
    return folder


@pytest.fixture
def make_karbor(
    full_karbor: Environment, directories: Path, tmp_path: Path
) -> Iterator[Callable[..., KarborService]]:
    """Make a Karbor that has not been started; it is ended with the test."""
    services: list[KarborService] = []
    ends = contextlib.ExitStack()

    def make(
        environ: Mapping[str, str] | None = None, more: str = "", **attributes: Any
    ) -> KarborService:
        folder = tmp_path / f"karbor-{len(services)}"
        folder.mkdir()
        known = {"PYTHONPATH": os.fspath(directories), **(environ or {})}
        services.append(KarborService(full_karbor, folder, known, more, **attributes))
        ends.callback(_show_log, services[-1])
        ends.callback(services[-1].stop)
        return services[-1]

    with ends:
        yield make


def _show_log(service: KarborService) -> None:
    """Write the end of a log, which pytest shows beside a test that failed."""
    if service.log.exists():
        log = service.log.read_text(errors="replace").splitlines()[-_LOG_TAIL:]
        sys.stdout.write("\n".join([f"end of {service.folder.name}'s log", *log, ""]))
