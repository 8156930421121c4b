"""Rules about one type of resource, with the servers and projects of the Cinder backend.

The suite tries such a rule with the harness's first type only, a volume. Servers boot from volumes
here; those that boot from images are in ``test_cinder_servers``.
"""

from pathlib import Path

import pytest

from karbor_backup_contract import RuleStatus, all_rules, run_rule
from karbor_backup_contract.requirements import SECRETS
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME
from tests.e2e.contract.cinder_harness import cinder_harness
from tests.e2e.contract.scripted_harness import ScriptedEnvironment, SharedTokenSessions

RULES = {rule.id: rule for rule in all_rules()}

OF_A_SERVER = (
    "C-202",  # what is not covered
    "C-204",  # a delete is exact
    "C-206",  # a restore of what is gone
    "C-219",  # a delete that others forbid
    "C-401",  # repeats
    "C-402",  # a reply is lost
    "C-403",  # restarts
    "C-404",  # polls change nothing
    "C-407",  # late calls
    "C-601",  # a failure is data
    "C-604",  # busy
    "C-605",  # refused
    "C-606",  # what is left is named
    "C-703",  # cancelled at any time
    "C-705",  # ignores a cancel
    "C-707",  # uncancellable
    "C-802",  # a failed release
    "C-901",  # secrets in documents
)
OF_A_PROJECT = ("C-210", "C-401", "C-403", "C-407", "C-605", "C-606", "C-703")

CASES = [
    *((rule, SERVER) for rule in OF_A_SERVER),
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
    kinds = (first, *({VOLUME, SERVER, PROJECT} - {first}))
    secrets = SECRETS in RULES[rule].requirements
    with cinder_harness(
        environment, sessions, tmp_path, kinds=kinds, fresh_login=secrets
    ) as harness:
        verdict = run_rule(RULES[rule], harness)
    assert verdict.status is RuleStatus.PASSED, verdict.reason
