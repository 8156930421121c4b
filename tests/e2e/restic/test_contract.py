"""The backend keeps the contract, with a real restic."""

import shutil
from collections.abc import Iterator
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
            # Of dozens of operations that are begun one after another, the last one's too.
            timeout=300,
            # A rule kills real processes behind each of their system calls.
            rule_timeout=1500,
        )


def create_backend(configuration: dict[str, object]) -> ResticBackend:
    """Return the backend as the core creates it, here or in another process."""
    return ResticBackend(wrap_secrets(ResticBackend.CONFIG_SCHEMA, configuration))


@pytest.fixture
def live(restic: ResticHarness) -> Iterator[Harness]:
    """Open the harness that ``karbor-backup contract`` uses on a user's own repository."""
    configuration = wrap_secrets(ResticBackend.CONFIG_SCHEMA, restic.configuration())
    with ResticBackend.contract_harness(configuration) as live:
        yield live


@pytest.mark.parametrize("rule", ["C-204", "C-211", "C-241", "C-244"])
def test_live_harness_leaves_the_repository_as_it_was(
    restic: ResticHarness, live: Harness, rule: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tested,) = (each for each in all_rules() if each.id == rule)
    verdict = run_rule(tested, live, cleanup=True)
    assert verdict.status is RuleStatus.PASSED, verdict.reason
    assert caplog.messages == []
    assert restic.inventory() == Inventory()


def test_live_harness_brings_what_the_rules_about_copies_need(live: Harness) -> None:
    info = live.create_backend().describe()
    skipped = {rule.id for rule in all_rules() if rule.unmet_reason(live, info)}
    # restic's backups depend on no others, and those of a user's repository are not damaged.
    assert {each for each in skipped if each.startswith("C-24")} == {"C-246", "C-248"}
    assert "C-510" not in skipped
