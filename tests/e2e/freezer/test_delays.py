"""Delays that a service asks for, before a real Freezer: our own limits come first."""

import contextlib
import threading
from datetime import timedelta
from typing import Any

import attrs

from karbor_backup_core import (
    MemoryStore,
    Operation,
    OperationFuture,
    Resource,
    Result,
    Runner,
    State,
    Store,
)
from tests.e2e.freezer.harness import FreezerHarness
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy
from tests.support.http_faults import FaultRule

DIRECTORY = "Freezer::FileSystem::Directory"
LONG = 120.0
"""Seconds that only an operation which waits for the service's sake takes."""

FORMS = ("3600", "Fri, 31 Dec 2999 23:59:59 GMT", "9" * 30)


def busy_fault(retry_after: str) -> http_faults.HttpFault:
    return http_faults.HttpFault(
        "busy", answer=http_faults.HttpResponse(503, (("Retry-After", retry_after),), b"{}")
    )


@attrs.frozen
class DelayedService:
    """A Freezer that asks for a delay at some of its requests, and who works with it.

    Attributes:
        harness: the test's place.
        proxy: stands before Freezer.
        plan: the delays.
        store: of the operations.
    """

    harness: FreezerHarness
    proxy: FaultProxy
    plan: FaultRule
    store: Store = attrs.field(factory=MemoryStore)

    def runner(self, *, release: timedelta = timedelta(seconds=5)) -> Runner:
        """Return a runner that gives a release so long."""
        policy = attrs.evolve(self.harness.runner_policy, release=release)
        runner: Runner = self.harness.runner(policy, store=self.store, endpoint=self.proxy.url)
        return runner

    def protect(self, runner: Runner, **more: Any) -> OperationFuture:
        """Begin a protect."""
        target = Resource(DIRECTORY, str(self.harness.tree()))
        return runner.protect("freezer", target, {"backup_name": "nightly"}, **more)

    def assert_released_once_answered(self, ended: Operation) -> None:
        """Insist that a release which was not let end goes on when the service answers again.

        A POST that was refused may have made a job: its id has to be used up before the end.
        """
        assert ended.suspended
        self.plan.times = self.plan.fired
        runner = self.runner(release=timedelta(seconds=LONG))
        runner.resume(ended.id)
        assert runner.wait(ended.id, LONG).state is State.RELEASED


def test_deadline_is_not_postponed_by_a_delay(clean_harness: FreezerHarness) -> None:
    with contextlib.ExitStack() as stack:
        begun = []
        for form in FORMS:
            proxy = stack.enter_context(FaultProxy(clean_harness.sandbox.freezer_url))
            plan = proxy.plan(busy_fault(form), times=None, method="POST", path="/jobs$")
            service = DelayedService(clean_harness, proxy, plan)
            runner = service.runner()
            begun.append((service, runner, service.protect(runner, deadline=timedelta(seconds=3))))
        for service, runner, operation in begun:
            ended = runner.wait(operation.id, LONG)
            assert ended.outcome is not None
            assert ended.outcome.result is Result.FAILED
            assert "not done by its deadline" in ended.outcome.reason
            assert "status 503" in ended.outcome.reason
            service.assert_released_once_answered(ended)


def test_cancel_is_not_postponed_by_a_delay(
    clean_harness: FreezerHarness, fault_proxy: FaultProxy
) -> None:
    plan = fault_proxy.plan(busy_fault("3600"), times=None, method="POST", path="/jobs$")
    service = DelayedService(clean_harness, fault_proxy, plan)
    waits = threading.Event()
    runner = service.runner()
    runner._executor._on_change = lambda operation: (
        waits.set() if operation.retry.not_before else None
    )
    begun = service.protect(runner)
    assert waits.wait(LONG)
    runner.cancel(begun.id)
    ended = runner.wait(begun.id, LONG)
    assert ended.outcome is not None
    assert ended.outcome.result is Result.CANCELLED
    service.assert_released_once_answered(ended)


def test_release_ends_at_its_limit_whatever_delay_is_requested(
    harness: FreezerHarness, fault_proxy: FaultProxy
) -> None:
    plan = fault_proxy.plan(busy_fault("3600"), times=None, method="DELETE")
    service = DelayedService(harness, fault_proxy, plan)
    runner = service.runner()
    begun = service.protect(runner)
    ended = runner.wait(begun.id, LONG)
    assert ended.outcome is not None
    assert ended.outcome.result is Result.SUCCEEDED
    service.assert_released_once_answered(ended)
