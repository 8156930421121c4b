"""The Freezer backend keeps the whole contract, before a real Freezer API and Keystone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from karbor_backup_contract import Harness, Rule
from karbor_backup_contract.requirements import SECRETS
from karbor_backup_contract.testing import ContractSuite
from tests.e2e.contract.scripted_harness import (
    RuleEnvironment,
    ScriptedEnvironment,
    SharedTokenSessions,
    scripted_harness,
)


class TestFreezerScripted(ContractSuite):
    @pytest.fixture
    def harness(
        self,
        environment: ScriptedEnvironment,
        sessions: SharedTokenSessions,
        tmp_path: Path,
        contract_rule: Rule,
    ) -> Iterator[Harness]:
        # Rules about secrets need a storage that has one, and a login with a password.
        secrets = SECRETS in contract_rule.requirements
        place = RuleEnvironment(environment, tmp_path, storage="far" if secrets else "disk")
        with scripted_harness(place, sessions, fresh_login=secrets) as harness:
            yield harness
