"""The Freezer backend keeps the whole contract, before a real Freezer API and Keystone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from karbor_backup_core.contract import Bench, Rule
from karbor_backup_core.contract.needs import SECRETS
from karbor_backup_core.contract.testing import ContractSuite
from tests.e2e.contract.scripted import Place, Sessions, Stage, scripted_bench


class TestFreezerScripted(ContractSuite):
    @pytest.fixture
    def bench(
        self, stage: Stage, sessions: Sessions, tmp_path: Path, contract_rule: Rule
    ) -> Iterator[Bench]:
        # Rules about secrets need a storage that has one, and a login with a password.
        secrets = SECRETS in contract_rule.needs
        place = Place(stage, tmp_path, storage="far" if secrets else "disk")
        with scripted_bench(place, sessions, fresh_login=secrets) as bench:
            yield bench
