"""Rules of the contract with real Cinder: the harness of operators, and servers.

The harness of volumes is the one that operators get by ``karbor-backup contract``. Each operation
takes the real services some seconds; the other rules are tried with the scripted cloud
(``tests/e2e/contract``).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import attrs
import pytest
import yaml

from karbor_backup_cinder import CinderBackend
from karbor_backup_cinder.config import Configuration
from karbor_backup_cinder.harness import VolumeResources
from karbor_backup_contract import Fault, Harness, RuleStatus, all_rules, run_rule
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.resource_types import SERVER
from karbor_backup_openstack.services import CloudServices
from sandbox import Sandbox
from sandbox.accounts import write_secret
from tests.e2e.cloud.harness import TIMEOUT
from tests.e2e.cloud.owned_resources import OwnedResources
from tests.e2e.cloud.server_resources import ServerResources
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy

_BEGINS_WORK: Final = r"/volumes$|/backups$|/restore$|/backups/[^/]+$"

RULES = {rule.id: rule for rule in all_rules()}


@pytest.fixture
def live_harness(cloud: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.clouds_yaml))
    with CinderBackend.contract_harness({"cloud": "demo"}) as harness:
        yield harness


@pytest.mark.parametrize(
    "rule",
    [
        "C-112",  # what the harness lists
        "C-203",  # lost resources come back
        "C-219",  # a delete that others forbid
        "C-404",  # every answer is lost once, and another process goes on
    ],
)
def test_rule_with_the_harness_of_operators(live_harness: Harness, rule: str) -> None:
    verdict = run_rule(RULES[rule], live_harness, cleanup=True)
    assert verdict.status is RuleStatus.PASSED, verdict.reason
    assert live_harness.inventory is not None
    assert live_harness.inventory().data == frozenset()


@pytest.fixture
def lossy_harness(
    cloud: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Harness]:
    """Yield the harness of operators with a proxy before Cinder, which can lose a reply."""
    cinder = urlsplit(str(cloud.session().get_endpoint(service_type="block-storage")))
    with FaultProxy(f"http://{cinder.netloc}") as proxy:
        clouds = yaml.safe_load(cloud.clouds_yaml.read_text())
        way = f"{proxy.url}{cinder.path}"
        clouds["clouds"]["demo"]["block_storage_endpoint_override"] = way
        write_secret(tmp_path / "clouds.yaml", yaml.safe_dump(clouds))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))

        def lose_reply() -> None:
            proxy.plan(http_faults.lost_reply(), method="POST|DELETE", path=_BEGINS_WORK)

        with CinderBackend.contract_harness({"cloud": "demo"}) as harness:
            yield attrs.evolve(
                harness, faults={Fault.LOSE_REPLY: lose_reply}, pending_faults=proxy.unfired
            )


def test_work_of_a_lost_reply_is_found(lossy_harness: Harness) -> None:
    verdict = run_rule(RULES["C-402"], lossy_harness, cleanup=True)
    assert verdict.status is RuleStatus.PASSED, verdict.reason


@pytest.fixture
def server_harness(owned_resources: OwnedResources) -> Harness:
    services = CloudServices(Connection(Configuration.from_document({"cloud": "demo"})))
    volumes = VolumeResources(services, owned_resources.top)
    servers = ServerResources(owned_resources, volumes)
    return Harness(
        create_backend=lambda: CinderBackend({"cloud": "demo"}),
        resources=servers,
        resource_types=(SERVER,),
        inventory=servers.list_inventory,
        poll_interval=0.5,
        timeout=TIMEOUT,
    )


def test_process_of_a_server_may_die_in_each_call(server_harness: Harness) -> None:
    """Make each call of a protect, restore and delete twice, the first time to no avail."""
    verdict = run_rule(RULES["C-404"], server_harness, cleanup=True)
    assert verdict.status is RuleStatus.PASSED, verdict.reason
