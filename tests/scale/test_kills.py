"""SIGKILL at each store write and each change of a job; another worker goes on, without a person.

Each round kills one worker at one step, and a second one does the rest. A short run takes every
seventh step; ``make soak`` takes them all.
"""

import itertools
import os
import signal
from typing import Final

from tests.scale.harness import LONG, WorkerHarness
from tests.scale.worker_main import MORTAL_SETTINGS

_OPERATIONS: Final = 2
_STRIDE: Final = 1 if os.environ.get("SOAK_SIZE") else 7


def test_nothing_is_doubled_lost_or_left_after_kills_at_any_step(harness: WorkerHarness) -> None:
    kills = 0
    for step in itertools.count(1, _STRIDE):
        for number in range(_OPERATIONS):
            # The last one is killed between the writes to the store and to the queue.
            harness.add_operation(queued=number < _OPERATIONS - 1)
        doomed = harness.start(fatal_step=step, settings=MORTAL_SETTINGS)
        harness.wait_until_idle_or_ended(doomed)
        if doomed.is_alive():
            harness.stop(doomed)
        doomed.join(LONG)
        other = harness.start(settings=MORTAL_SETTINGS, wait=True)
        harness.wait_until_idle()
        harness.check_consistency()
        harness.stop(other)
        assert other.exitcode == 0
        if doomed.exitcode == 0:
            break
        assert doomed.exitcode == -signal.SIGKILL
        kills += 1
    assert kills > 1
