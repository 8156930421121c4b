"""The Cinder backend keeps the contract, before a real Keystone and a scripted cloud.

Nothing that Cinder does ends only when it is cancelled, since Cinder has no cancel: the rules that
need such work (fault ``STALL``) are not tried.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from karbor_backup_contract import Harness, Rule
from karbor_backup_contract.requirements import SECRETS
from karbor_backup_contract.testing import ContractSuite
from tests.e2e.contract.cinder_harness import cinder_harness
from tests.e2e.contract.scripted_harness import ScriptedEnvironment, SharedTokenSessions


class TestCinderScripted(ContractSuite):
    @pytest.fixture
    def harness(
        self,
        environment: ScriptedEnvironment,
        sessions: SharedTokenSessions,
        tmp_path: Path,
        contract_rule: Rule,
    ) -> Iterator[Harness]:
        # Rules about secrets need a login with a password.
        secrets = SECRETS in contract_rule.requirements
        with cinder_harness(environment, sessions, tmp_path, fresh_login=secrets) as harness:
            yield harness
