"""The same rules with the real scheduler and agent, as far as they are about what those do.

The bench is the one that operators get by ``karbor-backup contract``. Each operation takes the real
programs some seconds; what rules say of many operations, of faults and of cancels is tried with the
scripted scheduler.
"""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from karbor_backup_core.contract import Bench, Holdings, Status, all_rules, judge
from karbor_backup_freezer import FreezerBackend
from sandbox import Sandbox

RULES = {rule.id: rule for rule in all_rules()}


@pytest.fixture
def bench(sandbox: Sandbox) -> Iterator[Bench]:
    storage = sandbox.storage_dir
    configuration: dict[str, Any] = {
        "cloud": "demo",
        "timeout": 20,
        "scheduler": "node1",
        "storages": {"disk": {"kind": "local", "path": str(storage)}},
    }
    with FreezerBackend.contract_bench(configuration) as bench:

        def holdings() -> Holdings:
            assert bench.holdings is not None
            kept = bench.holdings()
            stored = (str(path) for path in storage.glob("contract-*/**/*") if not path.is_dir())
            return attrs.evolve(kept, data={*kept.data, *stored})

        yield attrs.evolve(bench, holdings=holdings)


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
def test_rule(bench: Bench, rule: str) -> None:
    verdict = judge(RULES[rule], bench, tidy=True)
    assert verdict.status is Status.PASSED, verdict.reason
