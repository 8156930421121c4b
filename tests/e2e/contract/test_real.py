"""The same rules with the real scheduler and agent, as far as they are about what those do.

The harness is the one that operators get by ``karbor-backup contract``. Each operation takes the
real programs some seconds; what rules say of many operations, of faults and of cancels is tried
with the scripted scheduler.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest

from karbor_backup_contract import Harness, Inventory, RuleStatus, all_rules, run_rule
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.harness import create_live_harness
from sandbox import Sandbox

RULES = {rule.id: rule for rule in all_rules()}


@pytest.fixture
def harness(sandbox: Sandbox) -> Iterator[Harness]:
    storage = sandbox.storage_dir
    configuration: dict[str, Any] = {
        "cloud": "demo",
        "timeout": 20,
        "scheduler": "node1",
        "storages": {"disk": {"kind": "local", "path": str(storage)}},
    }
    containers: set[str] = set()

    def create_backend(own: Mapping[str, Any]) -> FreezerBackend:
        containers.add(own["container"])
        return FreezerBackend(own)

    with create_live_harness(create_backend, configuration) as harness:

        def inventory() -> Inventory:
            assert harness.inventory is not None
            kept = harness.inventory()
            stored = (path for name in containers for path in (storage / name).rglob("*"))
            return attrs.evolve(kept, data={*kept.data, *(str(x) for x in stored if x.is_file())})

        yield attrs.evolve(harness, inventory=inventory)


@pytest.mark.parametrize(
    "rule",
    [
        "C-203",  # lost resources come back
        "C-204",  # a delete is exact
        "C-205",  # a second delete
        "C-206",  # a restore of what is gone
        "C-404",  # every answer is lost once, and nothing is left in the end
        "C-408",  # late calls of what left nothing
    ],
)
def test_rule(harness: Harness, rule: str) -> None:
    verdict = run_rule(RULES[rule], harness, cleanup=True)
    assert verdict.status is RuleStatus.PASSED, verdict.reason
