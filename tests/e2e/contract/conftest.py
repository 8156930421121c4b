"""What the benches of the Freezer backend share: a scripted cloud, tokens, and credentials."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox
from tests.e2e.contract.scripted import Sessions, Stage


@pytest.fixture(scope="session")
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    with Stage.up(sandbox) as stage:
        yield stage


@pytest.fixture(autouse=True)
def credentials(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.write_clouds_yaml(tmp_path / "clouds.yaml")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))


@pytest.fixture(scope="session")
def sessions(stage: Stage) -> Sessions:
    return Sessions(stage)
