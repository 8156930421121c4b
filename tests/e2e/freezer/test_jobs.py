"""Jobs as the real API takes them: once, however often they are asked for.

No agent runs them here: their scheduler sleeps, in a project of its own.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Progress, ProgressState, Resource, Verb
from karbor_backup_core.backend import Backend

DIRECTORY = "Freezer::FileSystem::Directory"
CLOUD = "other"
SLEEPER = "sleeper"


@pytest.fixture
def backend(bench: Any) -> Iterator[Backend]:
    bench.sandbox.stop(bench.sandbox.add_scheduler(SLEEPER, cloud=CLOUD))
    yield bench.backend(cloud=CLOUD, scheduler=SLEEPER)
    client = bench.client(CLOUD)
    left = bench.left_in_freezer(CLOUD)
    for collection, entries in left.items():
        for entry in entries:
            client.delete(collection, entry)


def _protect(bench: Any, name: str = "") -> Operation:
    now = datetime.now(UTC)
    return Operation(
        id=f"{bench.top}-{name}",
        verb=Verb.PROTECT,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource(DIRECTORY, str(bench.tree())),
        options={"backup_name": "nightly"},
        created_at=now,
        deadline=now + timedelta(hours=1),
        phase=1,
        attempt=1,
    )


def test_a_call_that_is_repeated_creates_nothing(bench: Any, backend: Backend) -> None:
    protect = _protect(bench)
    first = backend.call(protect)
    again = [backend.call(attrs.evolve(protect, attempt=attempt)) for attempt in (1, 2, 3)]
    assert [p.state for p in again] == [ProgressState.RUNNING] * 3
    assert _without_doubt(again[0]) == _without_doubt(first)
    # A create that is refused because the job exists leaves an action: only a release sees it.
    assert len(bench.left_in_freezer(CLOUD)["jobs"]) == 1


def test_one_poll_of_many_costs_one_request(bench: Any, backend: Backend, fault_proxy: Any) -> None:
    through = bench.backend(cloud=CLOUD, scheduler=SLEEPER, endpoint=fault_proxy.url)
    begun = [_protect(bench, str(number)) for number in range(20)]
    for operation in begun:
        backend.call(operation)
    through.scope()
    fault_proxy.clear()
    answers = through.poll(begun)
    assert {p.state for p in answers.values()} == {ProgressState.RUNNING}
    assert len(answers) == 20
    assert len(fault_proxy.requests) == 1


def test_an_operation_that_was_never_begun_is_unknown(bench: Any, backend: Backend) -> None:
    never, begun = _protect(bench), _protect(bench, "begun")
    backend.call(begun)
    answers = backend.poll([never, begun])
    assert answers[never.id].state is ProgressState.UNKNOWN
    assert answers[begun.id].state is ProgressState.RUNNING


def _without_doubt(progress: Progress) -> dict[str, Any]:
    return {k: v for k, v in (progress.receipt or {}).items() if k != "doubt"}
