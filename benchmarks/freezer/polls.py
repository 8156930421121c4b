"""A poll among other people's jobs.

The project holds so many jobs of others, each with its record of a backup, and so many protects of
ours that run. Timed is one poll for all of ours, the first one and the shortest of those after it.
Beside it what else can be asked for: the list of all jobs in pages of 500, and the search for a
scheduler's own jobs, both by python-freezerclient.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from freezerclient.v2.client import Client

from benchmarks.context import BenchmarkContext
from benchmarks.freezer.database_scheduler import add_other_jobs
from benchmarks.freezer.environment import CLIENT, FreezerEnvironment
from benchmarks.freezer.subject_protocol import count_requests
from benchmarks.measurement import OURS, Measurement
from karbor_backup_core import (
    Backend,
    Driver,
    MemoryStore,
    Operation,
    Resource,
    State,
    plan_protect,
)
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.model.resource_types import DIRECTORY

_PAGE: Final = 500
_COMPARED: Final = 10
"""The number of ours at which the others are measured, whose time does not depend on it."""

_LONG: Final = 3600.0


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure each number of our jobs among each number of other people's."""
    environment = context.freezer
    sent = count_requests(environment.sandbox.freezer_url)
    for others in context.choose((100, 10_000), (100,)):
        for ours in context.choose((1, 10, 100), (1, 10)):
            with environment.run_jobs(_LONG):
                add_other_jobs(
                    environment.database, environment.access_parameters["project_id"], others
                )
                backend = _make_backend(environment)
                operations = _start_protects(backend, ours)
                parameters = {"jobs of others": others, "of ours": ours}
                yield from _measure_polls(backend, operations, sent, parameters)
                if ours == _COMPARED:
                    yield from _measure_peers(environment.new_client(), sent, parameters)


def _make_backend(environment: FreezerEnvironment) -> Backend:
    configuration = {
        "endpoint": environment.sandbox.freezer_url,
        "scheduler": CLIENT,
        "storages": {"swift": {"kind": "swift"}},
    }
    session = environment.sandbox.session()
    return Backend.from_plugin("freezer", FreezerBackend(configuration, session=session))


def _start_protects(backend: Backend, count: int) -> list[Operation]:
    driver = Driver(MemoryStore(), {"freezer": backend})
    running = []
    for number in range(count):
        resource = Resource(DIRECTORY, f"/srv/data/{number}", f"{number}")
        options = {"backup_name": "nightly"}
        operation = driver.add(plan_protect(backend, resource, options, now=driver.clock()))
        while operation.state is not State.RUNNING:
            operation = driver.step(operation)
        running.append(operation)
    return running


def _measure_polls(
    backend: Backend,
    operations: list[Operation],
    sent: Counter[str],
    parameters: Mapping[str, int],
) -> Iterator[Measurement]:
    for poll, times in (("the first poll", 1), ("a poll", 3)):
        sent.clear()
        seconds = [_time_call(lambda: backend.poll(operations)) for _ in range(times)]
        yield from _to_measurements(poll, OURS, seconds, sent, parameters)


def _measure_peers(
    client: Client, sent: Counter[str], parameters: Mapping[str, int]
) -> Iterator[Measurement]:
    for name, ask in (
        ("all jobs, listed", lambda: _list_all_jobs(client)),
        ("a scheduler's jobs, searched", lambda: _search_jobs(client)),
    ):
        sent.clear()
        yield from _to_measurements("a poll", name, [_time_call(ask)], sent, parameters)


def _to_measurements(
    poll: str,
    subject: str,
    seconds: list[float],
    sent: Counter[str],
    parameters: Mapping[str, int],
) -> Iterator[Measurement]:
    common: Mapping[str, Any] = {"subject": subject, "parameters": parameters}
    note = ", ".join(f"{n // len(seconds)} {what}" for what, n in sent.items())
    yield Measurement(what=f"time of {poll}", value=min(seconds), unit="s", note=note, **common)
    value = sent.total() / len(seconds)
    yield Measurement(what=f"requests of {poll}", value=value, unit="requests", **common)


def _time_call(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def _list_all_jobs(client: Client) -> None:
    for offset in itertools.count(step=_PAGE):
        if len(client.jobs.list_all(limit=_PAGE, offset=offset)) < _PAGE:
            return


def _search_jobs(client: Client) -> None:
    client.jobs.list(limit=_PAGE, client_id=CLIENT, search={})
