"""Rules about one type of resource, with those that are no directories.

The suite tries such a rule with the harness's first type only. Here are those that are about work
outside: discovery, jobs and rebuilding take phases that directories do not have. Servers boot from
volumes here, and from images in the suite.
"""

from pathlib import Path

import attrs
import pytest

from karbor_backup_contract import RuleStatus, all_rules, run_rule
from karbor_backup_contract.requirements import SECRETS
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME
from tests.e2e.contract.scripted_harness import (
    RuleEnvironment,
    ScriptedEnvironment,
    SharedTokenSessions,
    scripted_harness,
)

RULES = {rule.id: rule for rule in all_rules()}

OF_EVERY_TYPE = ("C-202", "C-404", "C-602", "C-802")
OF_ONE_TYPE = (
    "C-204",  # a delete is exact
    "C-206",  # a restore of what is gone
    "C-401",  # repeats
    "C-402",  # a reply is lost
    "C-403",  # restarts
    "C-407",  # late calls
    "C-408",  # late calls of what left nothing
    "C-601",  # a failure is data
    "C-604",  # busy
    "C-605",  # refused
    "C-606",  # what is left is named
    "C-702",  # cancelled
    "C-703",  # cancelled at any time
    "C-705",  # ignores a cancel
    "C-706",  # deadlines
    "C-707",  # uncancellable
    "C-805",  # released while it runs
    "C-901",  # secrets in documents
    "C-902",  # secrets in logs
    "C-922",  # sockets
)
OF_A_PROJECT = ("C-210", "C-401", "C-403", "C-605", "C-606", "C-703")

CASES = [
    *((rule, SERVER) for rule in OF_EVERY_TYPE),
    *((rule, kind) for rule in OF_ONE_TYPE for kind in (VOLUME, SERVER)),
    *((rule, PROJECT) for rule in OF_A_PROJECT),
]


@pytest.mark.parametrize(("rule", "first"), CASES)
def test_rule(
    rule: str,
    first: str,
    environment: ScriptedEnvironment,
    sessions: SharedTokenSessions,
    tmp_path: Path,
) -> None:
    secrets = SECRETS in RULES[rule].requirements
    place = RuleEnvironment(
        environment,
        tmp_path,
        storage="far" if secrets else "disk",
        servers_boot_from_volumes=True,
    )
    with scripted_harness(place, sessions, fresh_login=secrets) as harness:
        kinds = sorted(harness.resource_types, key=lambda kind: kind != first)
        verdict = run_rule(RULES[rule], attrs.evolve(harness, resource_types=kinds))
    assert verdict.status is RuleStatus.PASSED, verdict.reason
