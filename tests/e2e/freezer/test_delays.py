"""Delays that a service asks for, before a real Freezer: our own limits come first."""

import threading
from datetime import timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Resource, Result, Runner, State, Verb
from tests.support import http_faults

DIRECTORY = "Freezer::FileSystem::Directory"
LONG = 120.0
"""Seconds that only an operation which waits for the service's sake takes."""

FORMS = ("3600", "Fri, 31 Dec 2999 23:59:59 GMT", "9" * 30)


def busy_fault(retry_after: str) -> http_faults.HttpFault:
    return http_faults.HttpFault(
        "busy", answer=http_faults.HttpResponse(503, (("Retry-After", retry_after),), b"{}")
    )


@pytest.mark.parametrize("form", FORMS)
def test_deadline_comes_before_any_delay(clean_harness: Any, fault_proxy: Any, form: str) -> None:
    fault_proxy.plan(busy_fault(form), times=None, method="POST", path="/jobs$")
    runner = clean_harness.runner(endpoint=fault_proxy.url)
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    options = {"backup_name": "nightly"}
    begun = runner.begin("freezer", Verb.PROTECT, target, options, deadline=timedelta(seconds=3))
    ended = runner.wait(begun.id, LONG)
    assert ended.state is State.RELEASED
    assert ended.outcome is not None
    assert ended.outcome.result is Result.FAILED
    assert "not done by its deadline" in ended.outcome.reason
    assert "status 503" in ended.outcome.reason


def test_cancel_comes_before_any_delay(clean_harness: Any, fault_proxy: Any) -> None:
    fault_proxy.plan(busy_fault("3600"), times=None, method="POST", path="/jobs$")
    waits = threading.Event()
    runner: Runner = clean_harness.runner(endpoint=fault_proxy.url)
    runner._on_change = lambda operation: waits.set() if operation.not_before else None
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    begun = runner.begin("freezer", Verb.PROTECT, target, {"backup_name": "nightly"})
    assert waits.wait(LONG)
    runner.cancel(begun.id)
    ended = runner.wait(begun.id, LONG)
    assert ended.state is State.RELEASED
    assert ended.outcome is not None
    assert ended.outcome.result is Result.CANCELLED


def test_release_ends_with_its_limit_whatever_is_asked_for(harness: Any, fault_proxy: Any) -> None:
    plan = fault_proxy.plan(busy_fault("3600"), times=None, method="DELETE")
    policy = attrs.evolve(harness.runner_policy, release=timedelta(seconds=5))
    runner = harness.runner(policy, endpoint=fault_proxy.url)
    target = Resource(DIRECTORY, str(harness.tree()))
    begun = runner.begin("freezer", Verb.PROTECT, target, {"backup_name": "nightly"})
    ended = runner.wait(begun.id, LONG)
    assert ended.outcome is not None
    assert ended.outcome.result is Result.SUCCEEDED
    assert ended.parked
    plan.times = plan.fired
    assert runner.resume(begun.id).id == begun.id
    assert runner.wait(begun.id, LONG).state is State.RELEASED
