"""The backend keeps the contract, with a real tar and real directories."""

from pathlib import Path

import pytest
from karbor_backup_contract import Harness
from karbor_backup_contract.testing import ContractSuite
from karbor_backup_core import Verb

from karbor_backup_tar import TarBackend
from karbor_backup_tar.abilities import DIRECTORY
from tar_harness import DirectoryResources, FaultyTar


class TestTar(ContractSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        configuration, tar = {"vault": str(tmp_path)}, FaultyTar(tmp_path)
        files = DirectoryResources(tmp_path)
        return Harness(
            create_backend=lambda: TarBackend(configuration, tar),
            resources=files,
            resource_types=[DIRECTORY],
            inventory=files.inventory,
            # The rest may be left out; with it more rules can be tried.
            create_backend_in_other_scope=lambda: TarBackend(
                {"vault": str(tmp_path / "elsewhere")}
            ),
            multi_phase_verbs=[Verb.RESTORE],
            faults=tar.faults,
            pending_faults=lambda: tar.pending,
        )
