"""Delays that a service asks for, before a real Freezer: our own limits come first."""

import threading
from datetime import timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Resource, Result, Runner, State
from tests.e2e.freezer.harness import FreezerHarness
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy

DIRECTORY = "Freezer::FileSystem::Directory"
LONG = 120.0
"""Seconds that only an operation which waits for the service's sake takes."""

FORMS = ("3600", "Fri, 31 Dec 2999 23:59:59 GMT", "9" * 30)


def busy_fault(retry_after: str) -> http_faults.HttpFault:
    return http_faults.HttpFault(
        "busy", answer=http_faults.HttpResponse(503, (("Retry-After", retry_after),), b"{}")
    )


def impatient_runner(harness: FreezerHarness, fault_proxy: FaultProxy) -> Runner:
    """Return a runner that gives a release five seconds."""
    policy = attrs.evolve(harness.runner_policy, release=timedelta(seconds=5))
    runner: Runner = harness.runner(policy, endpoint=fault_proxy.url)
    return runner


def assert_released_once_answered(runner: Runner, plan: Any, ended: Operation) -> None:
    """Insist that a release which the service did not let end goes on when it answers again.

    A POST that was refused may have made a job: its id has to be used up before the end.
    """
    assert ended.suspended
    plan.times = plan.fired
    runner.resume(ended.id)
    assert runner.wait(ended.id, LONG).state is State.RELEASED


@pytest.mark.parametrize("form", FORMS)
def test_deadline_is_not_postponed_by_a_delay(
    clean_harness: FreezerHarness, fault_proxy: FaultProxy, form: str
) -> None:
    plan = fault_proxy.plan(busy_fault(form), times=None, method="POST", path="/jobs$")
    runner = impatient_runner(clean_harness, fault_proxy)
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    options = {"backup_name": "nightly"}
    begun = runner.protect("freezer", target, options, deadline=timedelta(seconds=3))
    ended = runner.wait(begun.id, LONG)
    assert ended.outcome is not None
    assert ended.outcome.result is Result.FAILED
    assert "not done by its deadline" in ended.outcome.reason
    assert "status 503" in ended.outcome.reason
    assert_released_once_answered(runner, plan, ended)


def test_cancel_is_not_postponed_by_a_delay(
    clean_harness: FreezerHarness, fault_proxy: FaultProxy
) -> None:
    plan = fault_proxy.plan(busy_fault("3600"), times=None, method="POST", path="/jobs$")
    waits = threading.Event()
    runner = impatient_runner(clean_harness, fault_proxy)
    runner._executor._on_change = lambda operation: (
        waits.set() if operation.retry.not_before else None
    )
    target = Resource(DIRECTORY, str(clean_harness.tree()))
    begun = runner.protect("freezer", target, {"backup_name": "nightly"})
    assert waits.wait(LONG)
    runner.cancel(begun.id)
    ended = runner.wait(begun.id, LONG)
    assert ended.outcome is not None
    assert ended.outcome.result is Result.CANCELLED
    assert_released_once_answered(runner, plan, ended)


def test_release_ends_at_its_limit_whatever_delay_is_requested(
    harness: FreezerHarness, fault_proxy: FaultProxy
) -> None:
    plan = fault_proxy.plan(busy_fault("3600"), times=None, method="DELETE")
    runner = impatient_runner(harness, fault_proxy)
    target = Resource(DIRECTORY, str(harness.tree()))
    begun = runner.protect("freezer", target, {"backup_name": "nightly"})
    ended = runner.wait(begun.id, LONG)
    assert ended.outcome is not None
    assert ended.outcome.result is Result.SUCCEEDED
    assert_released_once_answered(runner, plan, ended)
