"""A harness for the Freezer backend on a real Freezer: operations, and what they leave behind."""

import json
import threading
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs

from karbor_backup_core import (
    Backend,
    Backup,
    MemoryStore,
    Operation,
    OperationFuture,
    Policy,
    Resource,
    Result,
    Runner,
    State,
    Store,
    Verb,
)
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.api.http_client import FreezerHttpClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_openstack.connection import Connection
from sandbox import Sandbox

DIRECTORY = "Freezer::FileSystem::Directory"
TIMEOUT = 200.0
"""Seconds after which a test no longer believes that an operation ends."""

POLICY = Policy(
    poll_first=timedelta(seconds=0.5),
    poll_limit=timedelta(seconds=1),
    retry_first=timedelta(seconds=0.2),
    retry_limit=timedelta(seconds=2),
    unknown_gap=timedelta(seconds=0.5),
    grace=timedelta(seconds=60),
    release=timedelta(seconds=90),
)


@attrs.define
class FreezerHarness:
    """One test's place in a real Freezer: a top container of its own, and runners."""

    sandbox: Sandbox
    folder: Path
    runner_policy: Policy = POLICY
    top: str = attrs.field(factory=lambda: f"test-{uuid.uuid4().hex[:8]}")
    runners: list[Runner] = attrs.field(factory=list)
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    @property
    def storage(self) -> Path:
        """The folder of the local storage."""
        return self.sandbox.storage_dir

    def configuration(self, **more: Any) -> dict[str, Any]:
        """Return a configuration with one local storage."""
        return {
            "cloud": "demo",
            "container": self.top,
            "timeout": 20,
            "scheduler": "node1",
            "storages": {"disk": {"kind": "local", "path": str(self.storage)}},
            **more,
        }

    def backend(self, **more: Any) -> Backend:
        """Return the backend, loaded as the core loads it."""
        return Backend.load("freezer", FreezerBackend, self.configuration(**more))

    def runner(self, policy: Policy = POLICY, *, store: Store | None = None, **more: Any) -> Runner:
        """Return a runner with a backend, and a store unless given; it is closed with the test."""
        backend = self.backend(**more)
        runner = Runner(store or MemoryStore(), {"freezer": backend}, policy=policy)
        with self.lock:
            self.runners.append(runner)
        return runner

    def client(self, cloud: str = "demo") -> FreezerHttpClient:
        """Freezer as it is, without a backend between."""
        configuration = Configuration.from_document(self.configuration(cloud=cloud))
        return FreezerHttpClient(Connection(configuration), 20)

    def tree(self, name: str = "data", content: bytes = b"content") -> Path:
        """Return a small directory."""
        tree = self.folder / name
        tree.mkdir(parents=True, exist_ok=True)
        (tree / "file").write_bytes(content)
        return tree

    def left_in_freezer(self, cloud: str = "demo") -> dict[str, list[str]]:
        """Return the ids of all entries that name this test's top container."""
        client = self.client(cloud)
        names = {"jobs": "job_id", "actions": "action_id", "backups": "backup_id"}
        return {
            collection: [
                document[name]
                for document in client.iter_entries(collection)
                if self.top in json.dumps(document)
            ]
            for collection, name in names.items()
        }

    def left_on_disk(self) -> list[Path]:
        """All files in this test's top container on the local storage."""
        return [path for path in (self.storage / self.top).rglob("*") if not path.is_dir()]

    def close(self) -> None:
        """Close what the test has opened."""
        for runner in self.runners:
            runner.close()


def wait_finished(
    runner: Runner, operation: Operation | OperationFuture, timeout: float = TIMEOUT
) -> Operation:
    """Wait for an operation to be over, for so many seconds at the most."""
    return runner.wait(operation.id, timeout)


def run_operation(
    runner: Runner,
    verb: Verb,
    target: Resource | Backup,
    options: Mapping[str, Any] | None = None,
    *,
    timeout: float = TIMEOUT,
    **more: Any,
) -> Operation:
    """Begin an operation and wait for it, for so many seconds at the most."""
    # The overloads of plan tie a verb to its kind of target, which is the caller's here.
    plan: Any = runner.plan
    begun = runner.submit(plan("freezer", verb, target, options or {}, **more))
    return wait_finished(runner, begun, timeout)


def protect_directory(runner: Runner, tree: Path, **options: Any) -> Backup:
    """Protect a directory, and insist on success."""
    return protect_resource(runner, Resource(DIRECTORY, str(tree)), **options)


def protect_resource(
    runner: Runner, resource: Resource, *, timeout: float = TIMEOUT, **options: Any
) -> Backup:
    """Protect a resource, and insist on success."""
    given = {"backup_name": "nightly", **options}
    operation = run_operation(runner, Verb.PROTECT, resource, given, timeout=timeout)
    assert_succeeded(operation)
    assert operation.outcome is not None
    assert operation.outcome.backup is not None
    return operation.outcome.backup


def assert_succeeded(operation: Operation) -> None:
    """Insist that an operation succeeded and left nothing."""
    assert operation.state is State.RELEASED, operation
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert operation.outcome.leftovers == ()
