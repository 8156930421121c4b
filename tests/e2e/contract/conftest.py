"""What the benches of the Freezer backend share: tokens, and where the credentials are."""

import pytest

from sandbox import Sandbox
from tests.e2e.contract.scripted import Sessions


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let openstacksdk 4.22 warn of InfluxDB, which it does to everybody who loads a cloud."""
    item.add_marker(
        pytest.mark.filterwarnings("ignore:Support for InfluxDB:PendingDeprecationWarning")
    )


@pytest.fixture(autouse=True)
def credentials(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(sandbox.clouds_yaml))


@pytest.fixture(scope="session")
def sessions(sandbox: Sandbox) -> Sessions:
    return Sessions(sandbox)
