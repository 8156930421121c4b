"""Workers on one PostgreSQL, beside the plain runner.

Operations that take ten seconds in a service, all stored and queued before the first worker
starts. *Operations per second* is from then, imports included, until the last one is released; the
service's ten seconds are in it. *Processor time* is that of the processes of the workers, without
the server. The plain runner resumes the same operations from the same store in one process, without
a queue. *Time to recover* is from the SIGKILL of one of two workers, while all operations are in
flight, until the last of its operations has another owner. Heartbeat, sweep and lease are the
defaults; the dead process was on the same host, so that its lease counts for nothing at once.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

import attrs

from benchmarks.context import BenchmarkContext
from benchmarks.measurement import OURS, Measurement
from benchmarks.scale.driving_process import NAME
from benchmarks.scale.timed_backend import VOLUME, TimedBackend
from karbor_backup_core import Backend, Resource, plan_protect
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_scale._connection_parameters import postgresql_parameters
from karbor_backup_scale._database import QueueDatabase
from karbor_backup_scale.detach import DetachedQueue
from tests.support.postgresql import PostgreSql, postgresql

_SECONDS: Final = 10.0
_LONG_SECONDS: Final = 120.0
_LOOK: Final = 0.1


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure the plain runner, and 1, 2 and 4 workers."""
    count = context.choose(2000, 200)
    for kind, processes in (("runner", 1), ("worker", 1), ("worker", 2), ("worker", 4)):
        subject = "plain runner" if kind == "runner" else f"{OURS}, {processes} workers"
        context.say(f"{count} operations, {subject}")
        with postgresql() as server:
            yield from _measure_throughput(context.root, server, count, subject, kind, processes)
    context.say(f"{count} operations, one of two workers is killed")
    with postgresql() as server:
        yield _measure_recovery(context.root, server, count)


def _measure_throughput(
    root: Path, server: PostgreSql, count: int, subject: str, kind: str, processes: int
) -> Iterator[Measurement]:
    with _Scenario.create(root, server, count) as scenario:
        began = time.perf_counter()
        for _ in range(processes):
            scenario.start(kind, _SECONDS)
        scenario.wait(lambda: scenario.count("state <> 'released'") == 0)
        seconds = time.perf_counter() - began
        seen = scenario.stop()
    cpu = sum(each["cpu"] for each in seen)
    for what, value, unit in (
        ("operations per second", count / seconds, "1/s"),
        ("operations per second of processor time", count / cpu, "1/s"),
        ("polls", sum(each["polls"] for each in seen), "polls"),
    ):
        yield Measurement(
            what=what, subject=subject, value=value, unit=unit, parameters={"operations": count}
        )


def _measure_recovery(root: Path, server: PostgreSql, count: int) -> Measurement:
    with _Scenario.create(root, server, count) as scenario:
        for _ in range(2):
            scenario.start("worker", _LONG_SECONDS)
        scenario.wait(lambda: scenario.count("owner <> '' AND state = 'running'") == count)
        victim = scenario.processes[0]
        began = time.perf_counter()
        victim.kill()
        owned = f"owner LIKE '%:{victim.pid}:%'"
        lost = scenario.count(owned)
        scenario.wait(lambda: scenario.count(owned) == 0)
        return Measurement(
            what="time to recover after a kill",
            subject=f"{OURS}, 2 workers",
            value=time.perf_counter() - began,
            unit="s",
            parameters={"operations": count},
            note=f"{lost} operations were the dead worker's",
        )


@attrs.define
class _Scenario:
    """A store with queued operations, and the processes that drive them.

    Attributes:
        store: this process's own connection to the store.
        processes: those that were started.
    """

    store: SQLStore
    _root: Path
    _url: str
    _database: QueueDatabase
    processes: "list[subprocess.Popen[str]]" = attrs.field(factory=list)

    @classmethod
    def create(cls, root: Path, server: PostgreSql, count: int) -> "_Scenario":
        """Store and queue operations."""
        parameters = postgresql_parameters(server.url)
        if parameters is None:
            raise ValueError(server.url)
        database = QueueDatabase(parameters)
        database.check_or_create_tables(create=True)
        store = SQLStore(server.url)
        backend = Backend.from_plugin(NAME, TimedBackend(_SECONDS))
        with database.connect() as connection:
            queue = DetachedQueue(connection)
            for number in range(count):
                planned = plan_protect(backend, Resource(VOLUME, f"volume-{number}"))
                queue.put(store.add(planned))
        return cls(store, root, server.url, database)

    def __enter__(self) -> Self:
        """Return the scenario."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what still runs."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.store.close()

    def start(self, kind: str, seconds: float) -> None:
        """Start a process that drives operations."""
        module = "benchmarks.scale.driving_process"
        command = [sys.executable, "-P", "-m", module, kind, self._url, str(seconds)]
        started = subprocess.Popen(  # noqa: S603 - it starts modules of this project
            command, cwd=self._root, stdout=subprocess.PIPE, text=True
        )
        self.processes.append(started)

    def stop(self) -> list[Any]:
        """Stop the processes, and return what they have seen of themselves."""
        for process in self.processes:
            if "worker" in process.args:  # type: ignore[operator]
                process.send_signal(signal.SIGTERM)
        outputs = [process.communicate()[0] for process in self.processes]
        return [json.loads(output.splitlines()[-1]) for output in outputs]

    def wait(self, condition: Any) -> None:
        """Look again and again whether something is so.

        Raises:
            RuntimeError: a process has failed.
        """
        while not condition():
            for process in self.processes:
                if process.poll() not in (None, 0, -signal.SIGKILL):
                    raise RuntimeError(f"process ended with {process.returncode}")
            time.sleep(_LOOK)

    def count(self, condition: str) -> int:
        """Return how many operations fulfil a condition on the columns of the store."""
        query = f"SELECT count(*) AS count FROM operations WHERE {condition}"  # noqa: S608 - ours
        with self._database.connect() as connection:
            row = connection.execute(query.encode()).fetchone()
        return int(row["count"]) if row else 0
