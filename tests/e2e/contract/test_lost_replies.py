"""The reply to every request that changes something in the cloud is lost once.

The contract loses the reply to one request that begins work. A restore of a server makes and
changes a dozen things in the cloud itself: each has to be found again, and none to be made twice.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from karbor_backup_core import Verb
from karbor_backup_core.contract import Bench
from karbor_backup_core.contract.lives import compare_restored, unchanged
from karbor_backup_core.contract.trial import Trial
from karbor_backup_freezer.resources import SERVER
from sandbox import faults
from tests.e2e.contract.scripted import Place, Sessions, Stage, scripted_bench

MANY = 40
"""More requests of one method than a restore makes."""


@pytest.fixture
def bench(
    request: pytest.FixtureRequest, stage: Stage, sessions: Sessions, tmp_path: Path
) -> Iterator[Bench]:
    place = Place(stage, tmp_path, storage="disk", servers_boot_from_volumes=request.param)
    with scripted_bench(place, sessions) as bench:
        yield bench


@pytest.mark.parametrize(
    ("bench", "method"),
    [(False, "POST"), (False, "DELETE"), (True, "POST"), (True, "PUT")],
    ids=["image-POST", "image-DELETE", "volumes-POST", "volumes-PUT"],
    indirect=["bench"],
)
def test_a_restored_server_is_one_whatever_reply_is_lost(
    bench: Bench, stage: Stage, method: str
) -> None:
    trial = Trial(bench)
    server = trial.make(SERVER)
    backup = trial.backup(server)
    before = trial.holdings()
    for number in itertools.count(1):
        plan = stage.proxy.plan(faults.lost_reply(), at=number, method=method)
        operation = trial.succeed(Verb.RESTORE, backup)
        compare_restored(trial, operation, trial.written[server.id])
        unchanged(trial, before, f"a restore that lost the reply to {method} number {number}")
        stage.proxy.clear()
        if not plan.fired:
            break
        assert number < MANY
    assert number > 1
