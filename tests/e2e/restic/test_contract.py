"""The backend keeps the contract, with a real restic."""

import shutil
from pathlib import Path

import pytest

from karbor_backup_contract import (
    BackendFactory,
    Harness,
    Inventory,
    RuleStatus,
    all_rules,
    run_rule,
)
from karbor_backup_contract.testing import ContractSuite
from karbor_backup_core import Verb
from karbor_backup_core.secrets import wrap_secrets
from karbor_backup_restic import DIRECTORY, FILE, OUTPUT, ResticBackend
from karbor_backup_restic._abilities import MAINTENANCE
from tests.support.restic_harness import PASSWORD, ResticHarness


class TestRestic(ContractSuite):
    @pytest.fixture
    def harness(
        self, restic: ResticHarness, other_repository: Path, source_repository: Path
    ) -> Harness:
        elsewhere = restic.configuration(repository=str(other_repository))
        shutil.copytree(source_repository, restic.source_repository)
        near = restic.configuration(repository=str(restic.source_repository))
        own = restic.configuration(sources=restic.sources(), work_limit=2)
        return Harness(
            create_backend=lambda: create_backend(own),
            create_copy_source=lambda: create_backend(near),
            lose_copy_source=restic.lose_source,
            create_backend_in_other_scope=lambda: create_backend(elsewhere),
            create_backend_in_other_place=lambda: create_backend(
                restic.configuration(jobs=str(restic.folder / "jobs of another host"))
            ),
            backend_factory=BackendFactory(
                f"{__name__}:create_backend",
                {"configuration": own},
            ),
            resources=restic.resources,
            resource_types=[DIRECTORY, FILE, OUTPUT],
            inventory=restic.inventory,
            exclusive_maintenance=list(MAINTENANCE),
            faults=restic.faults,
            request_faults=restic.request_faults,
            pending_faults=restic.pending_faults,
            secrets=[PASSWORD],
            multi_phase_verbs=[Verb.RESTORE],
            damage=restic.damage,
            # A rule kills real processes behind each of their system calls.
            rule_timeout=1500,
        )


def create_backend(configuration: dict[str, object]) -> ResticBackend:
    """Return the backend as the core creates it, here or in another process."""
    return ResticBackend(wrap_secrets(ResticBackend.CONFIG_SCHEMA, configuration))


@pytest.mark.parametrize("rule", ["C-204", "C-211"])
def test_live_harness_leaves_the_repository_as_it_was(restic: ResticHarness, rule: str) -> None:
    (tested,) = (each for each in all_rules() if each.id == rule)
    with ResticBackend.contract_harness(
        wrap_secrets(ResticBackend.CONFIG_SCHEMA, restic.configuration())
    ) as live:
        verdict = run_rule(tested, live, cleanup=True)
    assert verdict.status is RuleStatus.PASSED, verdict.reason
    assert restic.inventory() == Inventory()
