"""The fake backend keeps the whole contract."""

import pytest

from karbor_backup_core.contract import Bench
from karbor_backup_core.contract.testing import ContractSuite
from karbor_backup_fake.bench import bench


class TestFake(ContractSuite):
    @pytest.fixture
    def bench(self) -> Bench:
        return bench()
