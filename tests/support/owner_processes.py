"""A process of another owner, which lives until a test ends it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

LEASE: Final = timedelta(minutes=1)
"""How long its leases are, by its name."""

_PRINT_OWNER_NAME: Final = f"""
from datetime import timedelta
from karbor_backup_core.owners import new_owner_name
print(new_owner_name(timedelta(seconds={LEASE.total_seconds()})), flush=True)
input()
"""


@contextlib.contextmanager
def living_process() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a process; yield it with its name as an owner, and kill it at the end."""
    command = [sys.executable, "-c", _PRINT_OWNER_NAME]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as started:
        assert started.stdout is not None
        try:
            yield started, started.stdout.readline().strip()
        finally:
            started.kill()
