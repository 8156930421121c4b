"""The backend keeps the contract, with a real tar and real directories."""

from pathlib import Path

import pytest
from karbor_backup_contract import BackendFactory, Harness, Inventory
from karbor_backup_contract.local_files import DirectoryResources, FaultyProgram, list_paths
from karbor_backup_contract.testing import ContractSuite
from karbor_backup_core import Verb

from karbor_backup_tar import TarBackend
from karbor_backup_tar.abilities import DIRECTORY


class TestTar(ContractSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        configuration, tar = {"vault": str(tmp_path)}, FaultyProgram(tmp_path, "tar")
        directories = DirectoryResources(tmp_path / "directories")
        return Harness(
            create_backend=lambda: TarBackend(configuration, tar),
            resources=directories,
            resource_types=[DIRECTORY],
            inventory=lambda: Inventory(
                bookkeeping=(str(path) for path in tmp_path.glob("work/*") if path.is_dir()),
                data=[*list_paths(tmp_path / "archives"), *directories.list_present()],
            ),
            # The rest may be left out; with it more rules can be tried.
            backend_factory=BackendFactory(
                "karbor_backup_tar:TarBackend", {"configuration": configuration}
            ),
            create_backend_in_other_scope=lambda: TarBackend(
                {"vault": str(tmp_path / "elsewhere")}
            ),
            multi_phase_verbs=[Verb.RESTORE],
            faults=tar.faults,
            pending_faults=lambda: tar.pending,
        )
