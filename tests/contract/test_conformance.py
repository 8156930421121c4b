"""The fake backend keeps the whole contract."""

import pytest

from karbor_backup_contract import Harness
from karbor_backup_contract.testing import ContractSuite
from karbor_backup_fake import FakeBackend
from karbor_backup_fake.harness import create_harness


class TestFake(ContractSuite):
    @pytest.fixture
    def harness(self) -> Harness:
        return create_harness(FakeBackend)


class TestFakeWithWorkLimit(ContractSuite):
    @pytest.fixture
    def harness(self) -> Harness:
        return create_harness(FakeBackend, work_limit=2)
