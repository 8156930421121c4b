"""A hook whose answer is dropped, doubled, delayed and so on is noticed by some rule."""

import pytest

from karbor_backup_contract import RuleStatus, all_rules, run_rule
from karbor_backup_fake.harness import create_harness
from tests.contract.mutants.hook_mutations import (
    EQUIVALENT_MUTATIONS,
    HookMutation,
    all_hook_mutations,
)

HOOK_MUTATIONS = list(all_hook_mutations())


def is_detected(mutation: HookMutation) -> bool:
    """Try rules until one is broken."""
    return any(
        run_rule(rule, create_harness(mutation.make)).status is RuleStatus.FAILED
        for rule in all_rules()
    )


@pytest.mark.parametrize("mutation", HOOK_MUTATIONS, ids=str)
def test_mutated_hook_is_detected_unless_equivalent(mutation: HookMutation) -> None:
    assert is_detected(mutation) is (str(mutation) not in EQUIVALENT_MUTATIONS)


def test_equivalent_mutations_exist() -> None:
    assert EQUIVALENT_MUTATIONS.keys() <= {str(mutation) for mutation in HOOK_MUTATIONS}
