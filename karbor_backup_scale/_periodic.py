"""The periodic work of the workers. Each tick runs once, whichever worker is the first.

Periodic work has a queue and a worker of the engine of its own, so that it never waits for a place
among the operations that are driven.
"""

import logging
from typing import Final

from procrastinate import App

from karbor_backup_core import KarborBackupError
from karbor_backup_scale._names import PERIODIC_QUEUE, SWEEP_TASK
from karbor_backup_scale._sweep import Sweep
from karbor_backup_scale.settings import WorkerSettings

_log: Final = logging.getLogger("karbor_backup.worker")

CONCURRENCY: Final = 4
"""How much periodic work one worker does at once."""


def register_periodic_work(app: App, sweep: Sweep, settings: WorkerSettings) -> None:
    """Register all periodic work with an app."""
    _register_sweep(app, sweep, settings)


def _register_sweep(app: App, sweep: Sweep, settings: WorkerSettings) -> None:
    # No lock: a worker that was paused in its sweep would keep all others from theirs.
    @app.periodic(cron=_every(settings.sweep))
    @app.task(name=SWEEP_TASK, queue=PERIODIC_QUEUE, queueing_lock=SWEEP_TASK)
    async def run_sweep(timestamp: int) -> None:
        try:
            await sweep.run()
        except KarborBackupError as error:
            _log.warning("the sweep of %s is left to the next one: %s", timestamp, error)


def _every(seconds: int) -> str:
    """Return the cron expression for an interval that divides a minute; seconds come last."""
    return f"* * * * * {f'*/{seconds}' if seconds < 60 else '0'}"  # noqa: PLR2004 - a minute
