"""The backend keeps the contract, with a real tar and real directories."""

from pathlib import Path

import pytest
from karbor_backup_core import Verb
from karbor_backup_core.contract import Bench
from karbor_backup_core.contract.testing import ContractSuite

from karbor_backup_tar import TarBackend
from karbor_backup_tar.abilities import DIRECTORY
from tar_bench import Directories, FaultyTar


class TestTar(ContractSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        configuration, tar = {"vault": str(tmp_path)}, FaultyTar(tmp_path)
        files = Directories(tmp_path)
        return Bench(
            backend=lambda: TarBackend(configuration, tar),
            resources=files,
            kinds=[DIRECTORY],
            holdings=files.holdings,
            # The rest may be left out; with it more rules can be tried.
            elsewhere=lambda: TarBackend({"vault": str(tmp_path / "elsewhere")}),
            phased=[Verb.RESTORE],
            faults=tar.faults,
            unfired=lambda: tar.planned,
        )
