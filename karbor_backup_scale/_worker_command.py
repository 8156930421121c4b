"""``karbor-backup worker``."""

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from karbor_backup_cli import CliContext, flush_streams, log_warnings, write_error
from karbor_backup_core import Backend, InvalidInput, suggest_name
from karbor_backup_scale._database import QueueDatabase
from karbor_backup_scale.settings import WorkerSettings

if TYPE_CHECKING:
    from karbor_backup_scale.schedules.operations import ScheduledOperation


def run_worker(context: CliContext, queues: str | None, hold: int | None) -> None:
    """Run a worker until it is stopped.

    Args:
        context: of the command.
        queues: configured names of backends, separated by commas; None for all.
        hold: how many operations it drives at most; None for what is configured.

    Raises:
        InvalidInput: something does not fit; no operation was touched.
        KarborBackupError: the store or the queue cannot be used.
    """
    log_warnings(context)
    settings = WorkerSettings.from_configuration(context.configuration)
    if hold is not None:
        settings = attrs.evolve(settings, hold=hold)
    database = QueueDatabase.from_configuration(context.configuration)
    backends = _load_backends(context, queues)
    _check_limits(settings, context.backends.sections)
    scheduled = _resolve_schedules(context, backends)
    store = context.open_store(create=True)
    database.check_or_create_tables(create=True)

    from karbor_backup_scale._connector import PatientConnector
    from karbor_backup_scale._worker import WorkerEvents, WorkerProcess

    served = ", ".join(backends)

    def on_start(worker_id: int) -> None:
        write_error(f"worker {worker_id}: drives up to {settings.hold} operations of {served}")

    def on_stop(jobs: int) -> None:
        write_error(f"worker: stops, and hands back {jobs} operations")

    events = WorkerEvents(on_start, on_stop)
    policy = context.configuration.policy

    async def run() -> bool:
        connector = PatientConnector(database.parameters)
        worker = WorkerProcess(connector, store, backends, policy, settings, events, scheduled)
        return await worker.run()

    if not asyncio.run(run()):
        write_error("worker: a call of a backend does not return; the process ends without it")
        flush_streams()
        os._exit(1)


def _load_backends(context: CliContext, queues: str | None) -> dict[str, Backend]:
    known = list(context.backends.sections)
    names = known if queues is None else [each.strip() for each in queues.split(",")]
    for name in names:
        if name not in known:
            raise InvalidInput(
                f"--queues: {suggest_name(name, known)}no backend {name!r} is configured here "
                f"(there are: {', '.join(known) or 'none'})"
            )
    if not names:
        raise InvalidInput("no backend is configured: a worker needs a section [backends.NAME]")
    return {name: context.backends.load(name) for name in names}


def _resolve_schedules(
    context: CliContext, served: Mapping[str, Backend]
) -> list["ScheduledOperation"]:
    """Return what the schedules do; what other backends do is left to their workers."""
    from karbor_backup_scale.schedules.operations import resolve_schedules

    resolved = resolve_schedules(context.configuration, context.backends)
    return [each for each in resolved if each.backend.name in served]


def _check_limits(settings: WorkerSettings, known: Mapping[str, object]) -> None:
    for name in settings.limits:
        if name not in known:
            raise InvalidInput(
                f"configuration: workers.limits: {suggest_name(name, list(known))}no backend "
                f"{name!r} is configured here"
            )
