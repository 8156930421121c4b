"""How many requests an operation costs, and over how many connections."""

from collections import Counter
from typing import Any

import pytest

from karbor_backup_core import Resource, Verb
from karbor_backup_freezer.api import schedulers
from karbor_backup_freezer.api.job_status import costs, job_list
from karbor_backup_freezer.model.resource_types import DIRECTORY
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
    wait_finished,
)
from tests.support.fault_proxy import FaultProxy


def _count_requests(proxy: Any) -> Counter[str]:
    """Return the requests by method and collection, without the polls."""
    sent = Counter(f"{r.method} {r.path.split('/')[3]}" for r in proxy.requests)
    del sent["GET jobs"]
    proxy.clear()
    return sent


def test_operations_send_the_stated_number_of_requests(
    clean_harness: FreezerHarness, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A loaded machine takes longer for all of this than the list of schedulers is remembered.
    monkeypatch.setattr(schedulers, "CACHE_SECONDS", 3600.0)
    runner = clean_harness.runner(endpoint=fault_proxy.url)
    tree = clean_harness.tree()
    backup = protect_directory(runner, tree)
    assert _count_requests(fault_proxy) == {
        "GET clients": 1,
        "POST jobs": 1,
        "GET backups": 1,
        "DELETE actions": 1,
        "DELETE jobs": 1,
    }
    assert_succeeded(run_operation(runner, Verb.VERIFY, backup))
    assert _count_requests(fault_proxy) == {"GET backups": 1}
    options = {"restore_name": "data", "overwrite": True}
    assert_succeeded(run_operation(runner, Verb.RESTORE, backup, options))
    assert _count_requests(fault_proxy) == {
        "GET backups": 1,
        "POST jobs": 1,
        "DELETE actions": 1,
        "DELETE jobs": 1,
    }
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
    assert _count_requests(fault_proxy) == {
        "GET backups": 1,
        "POST jobs": 1,
        "DELETE backups": 1,
        "DELETE actions": 1,
        "DELETE jobs": 1,
    }
    assert fault_proxy.connections <= 3


def test_record_ends_a_job_before_its_status_does(
    harness: FreezerHarness, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its scheduler goes on unharmed, though the job may be deleted before it notes the result."""
    monkeypatch.setattr(job_list, "LISTING_SHARE", 1e-9)
    monkeypatch.setattr(costs, "RECORD_COST", 0.0)
    runner = harness.runner(endpoint=fault_proxy.url)
    trees = [harness.tree(name) for name in "abcd"]
    options = {"backup_name": "nightly"}
    begun = [runner.protect("freezer", Resource(DIRECTORY, str(tree)), options) for tree in trees]
    for operation in begun:
        assert_succeeded(wait_finished(runner, operation))
    asked = [request.path.split("/")[3:] for request in fault_proxy.requests]
    assert asked.count(["backups"]) > asked.count(["jobs"])
    protect_directory(runner, trees[0])
    left = harness.left_in_freezer()
    assert (left["jobs"], left["actions"], len(left["backups"])) == ([], [], 5)
