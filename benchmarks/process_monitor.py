"""Runs what is measured in a process of its own, and watches it."""

import json
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import attrs
import psutil

_INTERVAL: Final = 0.2


@attrs.frozen
class MonitoredResult:
    """What a process has answered, and what was seen of it from outside.

    Attributes:
        answer: the JSON in the last line that it printed.
        threads: the most that it had.
        sockets: the most TCP connections that it had.
        memory: the most memory that it had, in MiB.
    """

    answer: Any
    threads: int
    sockets: int
    memory: float


def run_monitored(command: Sequence[str], directory: Path, request: Any) -> MonitoredResult:
    """Run a command, which is given JSON and answers in JSON.

    Args:
        command: what to run.
        directory: where.
        request: what it reads, as JSON, from its standard input.

    Raises:
        RuntimeError: it failed; what it says of that is on the screen.
    """
    with subprocess.Popen(  # noqa: S603 - it starts modules of this project
        command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            with _ProcessMonitor(child.pid) as watch:
                output, _ = child.communicate(json.dumps(request))
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with status {child.returncode}")
    return MonitoredResult(
        json.loads(output.splitlines()[-1]), watch.threads, watch.sockets, watch.memory
    )


class _ProcessMonitor:
    """Looks at a process from time to time, from a thread."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.threads = 0
        self.sockets = 0
        self.memory = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stopped.wait(_INTERVAL):
            try:
                self.threads = max(self.threads, self._process.num_threads())
                self.memory = max(self.memory, self._process.memory_info().rss / 2**20)
                self.sockets = max(self.sockets, len(self._process.net_connections("tcp")))
            except psutil.Error:
                return
