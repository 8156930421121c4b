"""Keystone and Freezer behind TLS, as keystoneauth's words in a provider's file reach them."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTP_PORT
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox import Sandbox
from sandbox.environments import Environment
from sandbox.ports import HOST
from tests.e2e.karbor.tls_proxy import Certificate, serve_tls
from tests.karbor_glue.scenario_runner import list_test_functions, run_once

SCENARIO = Path(__file__).with_name("connection_scenarios.py")


@pytest.fixture(scope="session")
def environ(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the real Keystone and Freezer, each behind TLS that wants a client's certificate."""
    folder = tmp_path_factory.mktemp("tls")
    server, client = Certificate.create(folder, "server"), Certificate.create(folder, "client")
    keystone, freezer = (urlsplit(url) for url in (sandbox.auth_url, sandbox.freezer_url))
    with (
        serve_tls(keystone.port or HTTP_PORT, server, client) as keystone_front,
        serve_tls(freezer.port or HTTP_PORT, server, client) as freezer_front,
        socket.create_server((HOST, 0)) as silent,
    ):
        facts = {
            "auth_url": f"{keystone_front}{keystone.path}",
            "freezer": f"{freezer_front}{freezer.path}",
            "silent": f"http://{HOST}:{silent.getsockname()[1]}/v3",
            "demo": sandbox.accounts["demo"].password,
            "server": str(server.certfile),
            "certfile": str(client.certfile),
            "keyfile": str(client.keyfile),
        }
        yield {"CONNECTIONS_TEST": json.dumps(facts)}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", list_test_functions(SCENARIO))
def test_scenario(
    full_karbor: Environment, shared: Path, environ: dict[str, str], case: str
) -> None:
    run_once(full_karbor, SCENARIO, shared, environ).check(case)
