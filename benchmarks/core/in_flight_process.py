"""A process with many operations in flight: ``in_flight_child COUNT [STORE-URL]``.

It prints what it has seen of itself, as JSON.
"""

import gc
import json
import sys
import threading
import time
from datetime import timedelta

import psutil

from benchmarks.core.fake_operations import (
    NAME,
    OPTIONS,
    StateLatch,
    check_released,
    make_backend,
    make_volumes,
)
from karbor_backup_core import (
    Backend,
    ManualClock,
    MemoryStore,
    Policy,
    Runner,
    State,
    Store,
)
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeCloud

_POLLS = 3
_POLICY = Policy(
    poll_first=timedelta(seconds=0.3), poll_limit=timedelta(seconds=0.3), poll_load=1.0
)


class PollSignalCloud(FakeCloud):
    """A cloud that tells when it has been asked for its jobs."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock=clock, service_seconds=3600)
        self.polled = threading.Semaphore(0)
        self.gate = self._on_request

    def _on_request(self, request: str) -> None:
        if request == "list_jobs done":
            self.polled.release()


def main(count: int, url: str = "") -> None:
    """Hold that many operations in flight, then let them end."""
    store: Store = SQLStore(url) if url else MemoryStore()
    clock = ManualClock()
    cloud = PollSignalCloud(clock)
    resources = make_volumes(count)
    backend = Backend.from_plugin(NAME, make_backend(cloud, resources))
    process = psutil.Process()
    running = StateLatch(State.RUNNING, count)
    with Runner(store, {NAME: backend}, policy=_POLICY, on_change=running.on_change) as runner:
        gc.collect()
        before = process.memory_info().rss
        began = time.perf_counter()
        begun = [runner.protect(NAME, each, OPTIONS).id for each in resources]
        running.reached.wait()
        seconds = time.perf_counter() - began
        poll_seconds = _measure_polls(cloud)
        gc.collect()
        result = {
            "kib": (process.memory_info().rss - before) / 1024,
            "threads": process.num_threads(),
            "sockets": len(process.net_connections(kind="all")),
            "poll_seconds": poll_seconds,
        }
        ending = time.perf_counter()
        clock.advance(cloud.service_seconds)
        check_released([runner.wait(operation_id) for operation_id in begun])
        result["seconds"] = seconds + time.perf_counter() - ending
    print(json.dumps(result))  # noqa: T201 - it is what this program is for


def _measure_polls(cloud: PollSignalCloud) -> float:
    """Return the processor time from the end of one poll to the end of another, per poll."""
    while cloud.polled.acquire(blocking=False):
        """Let the polls go by that were made in the meantime."""
    cloud.polled.acquire()
    before = time.process_time()
    for _ in range(_POLLS):
        cloud.polled.acquire()
    return (time.process_time() - before) / _POLLS


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
