"""Memory, threads and sockets with many operations in flight.

Protects of volumes in a fake cloud that stands in the same process, begun all at once and waiting
for the cloud, each in a process of its own. Memory is what the process has grown by since all was
ready to begin (its resident set), divided by the number of operations: what the fake cloud keeps of
its jobs and copies is in it. Then the cloud is let finish, and all are seen released.
"""

from collections.abc import Iterator

from benchmarks.context import BenchmarkContext
from benchmarks.measurement import OURS, Goal, Measurement

_PROCESS_MODULE = "benchmarks.core.in_flight_process"
_MAX_IN_FLIGHT = 10_000


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure each number in flight with both stores."""
    for count in context.choose((10, 100, 1_000, _MAX_IN_FLIGHT), (100, 1_000)):
        for store in ("memory", "SQLite"):
            subject = f"{OURS}, {store}"
            url = () if store == "memory" else (f"sqlite:///{context.scratch}/{count}.db",)
            result = context.run_in_process(_PROCESS_MODULE, str(count), *url)
            parameters = {"in flight": count}
            goals = count == _MAX_IN_FLIGHT
            yield Measurement(
                what="memory per operation in flight",
                subject=subject,
                value=result["kib"] / count,
                unit="KiB",
                parameters=parameters,
                goal=Goal(10) if goals else None,
            )
            yield Measurement(
                what="threads",
                subject=subject,
                value=result["threads"],
                unit="threads",
                parameters=parameters,
                goal=Goal(16) if goals else None,
            )
            yield Measurement(
                what="sockets",
                subject=subject,
                value=result["sockets"],
                unit="sockets",
                parameters=parameters,
            )
            yield Measurement(
                what="processor time per operation and poll",
                subject=subject,
                value=result["poll_seconds"] / count * 1e6,
                unit="µs",
                parameters=parameters,
            )
            yield Measurement(
                what="time per operation, all in flight at once",
                subject=subject,
                value=result["seconds"] / count * 1e6,
                unit="µs",
                parameters=parameters,
            )
