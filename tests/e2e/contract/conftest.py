"""What the harnesses of the Freezer backend share: a scripted cloud, tokens, and credentials."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox
from tests.e2e.contract.scripted_harness import ScriptedEnvironment, SharedTokenSessions


@pytest.fixture(scope="session")
def environment(sandbox: Sandbox) -> Iterator[ScriptedEnvironment]:
    with ScriptedEnvironment.start(sandbox) as environment:
        yield environment


@pytest.fixture(autouse=True)
def credentials(
    environment: ScriptedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.write_clouds_yaml(tmp_path / "clouds.yaml")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))


@pytest.fixture(scope="session")
def sessions(environment: ScriptedEnvironment) -> SharedTokenSessions:
    return SharedTokenSessions(environment)
