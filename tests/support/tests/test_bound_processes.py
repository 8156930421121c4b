"""A process that is bound to its parent ends with it, however the parent ends."""

import os
import select
import subprocess
import sys
from typing import Final

from tests.support.bound_processes import end_with_parent

_PARENT: Final = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
_CHILD: Final = ("sh", "-c", "echo $$; exec sleep 600")
"""It says its id, which is after it was bound."""


def test_child_of_a_killed_process_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, *end_with_parent(_CHILD)],
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.kill()
            assert select.select([child], [], [], 120)[0] == [child]
        finally:
            os.close(child)
