"""Servers, volumes and projects: the real API takes their jobs, and what is in them.

No agent runs them here: their schedulers sleep, in a project of their own.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Backup, Operation, Progress, ProgressState, Resource, Verb
from karbor_backup_core.backend import Backend
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.identifiers import job_id

SELECTIONS: dict[str, dict[str, str]] = {
    "OS::Nova::Server": {"mode": "nova", "engine_name": "nova", "nova_inst_id": "id-1"},
    "OS::Cinder::Volume": {"mode": "cinder", "cinder_vol_id": "id-1"},
    "OS::Keystone::Project": {"mode": "nova", "engine_name": "nova", "project_id": "id-1"},
}
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


def _operation(bench: Any, verb: Verb, kind: str, **more: Any) -> Operation:
    now = datetime.now(UTC)
    return Operation(
        id=f"{bench.top}-{verb}-{kind}",
        verb=verb,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource(kind, "id-1"),
        created_at=now,
        deadline=now + timedelta(hours=1),
        phase=1,
        attempt=1,
        **more,
    )


def _backup(bench: Any, kind: str) -> Backup:
    handle = Handle(
        mode=SELECTIONS[kind]["mode"],
        kind="local",
        container=f"{bench.storage}/{bench.top}/one",
        backup_name="nightly",
        hostname="a-host",
        client=SLEEPER,
        job="j",
        record="r",
        time_stamp=1,
        agent_version="19.0.0",
    )
    return Backup(
        id="one",
        resource=Resource(kind, "id-1"),
        backend="freezer",
        scope="s",
        handle=handle.document(),
        storage="disk",
        created_at=datetime.now(UTC),
    )


def _job(bench: Any, operation: Operation) -> dict[str, Any]:
    """The only action of the job of an operation, as the API tells it."""
    document = bench.client(CLOUD).job(job_id(operation.id))
    assert document is not None
    assert document["client_id"] == SLEEPER
    (action,) = document["job_actions"]
    assert (action["max_retries"], action["max_retries_interval"]) == (0, 1)
    return {key: value for key, value in action["freezer_action"].items() if value is not None}


@pytest.mark.parametrize("kind", SELECTIONS)
def test_the_api_takes_the_jobs_of_cloud_resources(bench: Any, backend: Backend, kind: str) -> None:
    protect = _operation(bench, Verb.PROTECT, kind, options={"backup_name": "nightly"})
    assert backend.call(protect).state is ProgressState.RUNNING
    action = _job(bench, protect)
    assert action.pop("hostname")
    assert action == {
        "action": "backup",
        "storage": "local",
        "container": f"{bench.storage}/{bench.top}/{protect.id}",
        "backup_name": "nightly",
        **SELECTIONS[kind],
    }

    backup = _backup(bench, kind)
    place = {
        "storage": "local",
        "container": backup.handle["container"],
        "backup_name": "nightly",
        "hostname": "a-host",
    }
    restore = _operation(bench, Verb.RESTORE, kind, options={"restore_name": "x"}, backup=backup)
    assert backend.call(restore).state is ProgressState.RUNNING
    assert _job(bench, restore) == {"action": "restore", **place, **SELECTIONS[kind]}

    delete = _operation(bench, Verb.DELETE, kind, backup=backup)
    assert backend.call(delete).state is ProgressState.RUNNING
    removal = {"action": "admin", "remove_older_than": "0"}
    assert _job(bench, delete) == {**removal, **place, **SELECTIONS[kind]}


def test_a_call_that_is_repeated_creates_nothing(bench: Any, backend: Backend) -> None:
    protect = _operation(
        bench, Verb.PROTECT, "OS::Cinder::Volume", options={"backup_name": "nightly"}
    )
    first = backend.call(protect)
    again = [backend.call(attrs.evolve(protect, attempt=attempt)) for attempt in (1, 2, 3)]
    assert [p.state for p in again] == [ProgressState.RUNNING] * 3
    assert _without_doubt(again[0]) == _without_doubt(first)
    # A create that is refused because the job exists leaves an action: only a release sees it.
    assert len(bench.left_in_freezer(CLOUD)["jobs"]) == 1


def test_one_poll_of_many_costs_one_request(bench: Any, backend: Backend, fault_proxy: Any) -> None:
    through = bench.backend(cloud=CLOUD, scheduler=SLEEPER, endpoint=fault_proxy.url)
    begun = [
        attrs.evolve(
            _operation(
                bench, Verb.PROTECT, "OS::Cinder::Volume", options={"backup_name": "nightly"}
            ),
            id=f"{bench.top}-{number}",
        )
        for number in range(20)
    ]
    for operation in begun:
        backend.call(operation)
    through.scope()
    fault_proxy.clear()
    answers = through.poll(begun)
    assert {p.state for p in answers.values()} == {ProgressState.RUNNING}
    assert len(answers) == 20
    assert len(fault_proxy.requests) == 1


def test_an_operation_that_was_never_begun_is_unknown(bench: Any, backend: Backend) -> None:
    options = {"backup_name": "nightly"}
    never = _operation(bench, Verb.PROTECT, "OS::Cinder::Volume", options=options)
    begun = attrs.evolve(never, id=f"{never.id}-begun")
    backend.call(begun)
    answers = backend.poll([never, begun])
    assert answers[never.id].state is ProgressState.UNKNOWN
    assert answers[begun.id].state is ProgressState.RUNNING


def _without_doubt(progress: Progress) -> dict[str, Any]:
    return {k: v for k, v in (progress.receipt or {}).items() if k != "doubt"}
