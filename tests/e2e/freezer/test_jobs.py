"""Jobs as the real API takes them: once, however often they are asked for.

No agent runs them here: their scheduler never comes, in a project of its own.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Backend, Operation, Progress, ProgressState, Resource, Verb
from tests.e2e.freezer.harness import FreezerHarness
from tests.support.fault_proxy import FaultProxy
from tests.support.schedulers import CLOUD, silent_scheduler

DIRECTORY = "Freezer::FileSystem::Directory"


@pytest.fixture
def backend(harness: FreezerHarness) -> Iterator[Backend]:
    client = harness.client(CLOUD)
    with silent_scheduler(client, harness.top) as scheduler:
        yield harness.backend(cloud=CLOUD, scheduler=scheduler)
        left = harness.left_in_freezer(CLOUD)
        for collection, entries in left.items():
            for entry in entries:
                client.delete_entry(collection, entry)


def _submit_protect(harness: FreezerHarness, name: str = "") -> Operation:
    now = datetime.now(UTC)
    return Operation(
        id=f"{harness.top}-{name}",
        verb=Verb.PROTECT,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource(DIRECTORY, str(harness.tree())),
        options={"backup_name": "nightly"},
        created_at=now,
        deadline=now + timedelta(hours=1),
        phase=1,
        attempt=1,
    )


def test_repeated_call_creates_no_second_job(harness: FreezerHarness, backend: Backend) -> None:
    protect = _submit_protect(harness)
    first = backend.call_verb(protect)
    again = [backend.call_verb(attrs.evolve(protect, attempt=attempt)) for attempt in (1, 2, 3)]
    assert [p.state for p in again] == [ProgressState.RUNNING] * 3
    assert _without_doubt(again[0]) == _without_doubt(first)
    # A create that is refused because the job exists leaves an action: only a release sees it.
    assert len(harness.left_in_freezer(CLOUD)["jobs"]) == 1


def test_one_poll_of_many_costs_one_request(
    harness: FreezerHarness, backend: Backend, fault_proxy: FaultProxy
) -> None:
    through = harness.backend(cloud=CLOUD, scheduler=harness.top, endpoint=fault_proxy.url)
    begun = [_submit_protect(harness, str(number)) for number in range(20)]
    for operation in begun:
        backend.call_verb(operation)
    through.scope()
    fault_proxy.clear()
    answers = through.poll(begun)
    assert {p.state for p in answers.values()} == {ProgressState.RUNNING}
    assert len(answers) == 20
    assert len(fault_proxy.requests) == 1


def test_operation_without_a_job_is_unknown(harness: FreezerHarness, backend: Backend) -> None:
    never, begun = _submit_protect(harness), _submit_protect(harness, "begun")
    backend.call_verb(begun)
    answers = backend.poll([never, begun])
    assert answers[never.id].state is ProgressState.UNKNOWN
    assert answers[begun.id].state is ProgressState.RUNNING


def _without_doubt(progress: Progress) -> dict[str, Any]:
    return {k: v for k, v in (progress.receipt or {}).items() if k != "doubt"}
