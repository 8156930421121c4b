"""A hook whose answer is dropped, doubled, delayed and so on is noticed by some rule."""

import pytest

from karbor_backup_core.contract import Status, all_rules, judge
from karbor_backup_fake.bench import bench
from tests.contract.mutants.generated import HARMLESS, Spoilt, all_spoilt

SPOILT = list(all_spoilt())


def noticed(spoilt: Spoilt) -> bool:
    """Try rules until one is broken."""
    return any(judge(rule, bench(spoilt.make)).status is Status.FAILED for rule in all_rules())


@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_hook_is_noticed_unless_there_is_a_reason(spoilt: Spoilt) -> None:
    assert noticed(spoilt) is (str(spoilt) not in HARMLESS)


def test_the_reasons_are_for_hooks_and_ways_that_there_are() -> None:
    assert HARMLESS.keys() <= {str(spoilt) for spoilt in SPOILT}
