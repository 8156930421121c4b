"""The fake backend keeps the whole contract."""

import contextlib
from collections.abc import Iterator

from karbor_backup_core.contract import Bench, Status, all_rules, examine
from karbor_backup_fake.bench import bench


@contextlib.contextmanager
def fresh() -> Iterator[Bench]:
    yield bench()


def test_the_fake_backend_is_conformant_and_has_every_rule_tried() -> None:
    report = examine(fresh)
    assert report.against() == []
    assert {verdict.status for verdict in report.verdicts} == {Status.PASSED}
    assert len(report.verdicts) == len(all_rules()) > 60
