"""Operations on a whole cloud, which take their time."""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core import Backup, Operation, Resource, Runner, Verb
from tests.e2e.freezer.harness import assert_succeeded

TIMEOUT: Final = 900.0
"""Seconds after which a test no longer believes that an operation ends."""


def wait_finished(runner: Runner, operation: Operation) -> Operation:
    """Wait for an operation to be over."""
    return runner.wait(operation.id, TIMEOUT)


def run_operation(
    runner: Runner,
    verb: Verb,
    target: Resource | Backup,
    options: Mapping[str, Any] | None = None,
    **more: Any,
) -> Operation:
    """Begin an operation and wait for it."""
    return wait_finished(runner, runner.begin("freezer", verb, target, options or {}, **more))


def protect_resource(runner: Runner, resource: Resource, **options: Any) -> Backup:
    """Protect a resource, and insist on success."""
    operation = run_operation(runner, Verb.PROTECT, resource, {"backup_name": "nightly", **options})
    assert_succeeded(operation)
    assert operation.outcome is not None
    assert operation.outcome.backup is not None
    return operation.outcome.backup
