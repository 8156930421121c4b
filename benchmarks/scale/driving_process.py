"""A process that drives operations: ``driving_process worker|runner URL SECONDS``.

It prints what it has seen of itself, as JSON. A worker ends by SIGTERM; the plain runner resumes
all operations that there are, and ends with the last of them.
"""

import asyncio
import contextlib
import json
import sys
import time

from benchmarks.scale.timed_backend import TimedBackend
from karbor_backup_core import Backend, Policy, Runner
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_scale._connection_parameters import postgresql_parameters
from karbor_backup_scale._connector import PatientConnector
from karbor_backup_scale._worker import WorkerProcess
from karbor_backup_scale.settings import WorkerSettings

NAME = "timed"
HOLD = 10_000


def main(kind: str, url: str, seconds: str) -> None:
    """Drive operations as a worker, or as a plain runner."""
    timed = TimedBackend(float(seconds))
    backends = {NAME: Backend.from_plugin(NAME, timed)}
    began = time.process_time()
    with contextlib.closing(SQLStore(url)) as store:
        if kind == "worker":
            asyncio.run(_run_worker(url, store, backends))
        else:
            with Runner(store, backends) as runner:
                for future in [runner.resume(each.id) for each in store.operations()]:
                    future.result()
    cpu = time.process_time() - began
    print(json.dumps({"cpu": cpu, "polls": timed.polls}))  # noqa: T201 - it is what it is for


async def _run_worker(url: str, store: SQLStore, backends: dict[str, Backend]) -> None:
    parameters = postgresql_parameters(url)
    if parameters is None:
        raise ValueError(url)
    settings = WorkerSettings(hold=HOLD)
    connector = PatientConnector(parameters)
    await WorkerProcess(connector, store, backends, Policy(), settings).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
