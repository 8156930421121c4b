"""The subject: karbor-backup, by its runner and its Freezer backend."""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.freezer.subject_protocol import SubjectSession
from karbor_backup_core import (
    Backend,
    Backup,
    MemoryStore,
    Operation,
    OperationFuture,
    Resource,
    Runner,
    Verb,
)
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.model.ids import job_id

DIRECTORY = "Freezer::FileSystem::Directory"


def main() -> None:
    """Do the operations that are asked for, all of a verb at once."""
    subject = SubjectSession()
    backend = Backend.from_plugin("freezer", _make_backend(subject.request))
    backend.scope()
    known: dict[str, float] = {}
    with Runner(
        MemoryStore(), {"freezer": backend}, on_change=lambda o: _record_end_time(o, known)
    ) as runner:
        backups: list[Backup] = []
        for verb in map(Verb, subject.request["verbs"]):
            targets = _make_resources(subject.request["count"]) if verb is Verb.PROTECT else backups

            def do(noted: dict[str, float], verb: Verb = verb, targets: Any = targets) -> None:
                known.clear()
                done = _run_verb(runner, verb, targets)
                noted.update(known)
                if verb is Verb.PROTECT:
                    backups.extend(o.outcome.backup for o in done)  # type: ignore[union-attr, misc]

            subject.measure_verb(verb.value, do)
    subject.print_results()


def _make_backend(request: Any) -> FreezerBackend:
    os.environ["OS_CLIENT_CONFIG_FILE"] = request["clouds"]
    configuration = {
        "cloud": request["cloud"],
        "endpoint": request["endpoint"],
        "scheduler": request["client"],
        "storages": {"swift": {"kind": "swift"}},
    }
    return FreezerBackend(configuration)


def _make_resources(count: int) -> list[Resource]:
    return [Resource(DIRECTORY, f"/srv/data/{number}", f"{number}") for number in range(count)]


def _run_verb(runner: Runner, verb: Verb, targets: list[Any]) -> list[Operation]:
    options = {
        Verb.PROTECT: {"backup_name": "nightly"},
        Verb.RESTORE: {"restore_name": "data"},
    }.get(verb, {})
    submit: Mapping[Verb, Callable[..., OperationFuture]] = {
        Verb.PROTECT: runner.protect,
        Verb.RESTORE: runner.restore,
        Verb.DELETE: runner.delete,
        Verb.VERIFY: runner.verify,
    }
    futures = [submit[verb]("freezer", target, options) for target in targets]
    return [future.result().raise_for_outcome() for future in futures]


def _record_end_time(operation: Operation, known: dict[str, float]) -> None:
    """Note when a job is known to have ended: with the outcome, or with a further phase."""
    if operation.outcome is not None or operation.phase > 1:
        known.setdefault(job_id(operation.id), time.time())


if __name__ == "__main__":
    main()
