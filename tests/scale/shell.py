"""The command, with a configuration of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from tests.scale.harness import LONG, wait_until

PROGRAM: Final = str(Path(sys.executable).parent / "karbor-backup")


@attrs.frozen
class Shell:
    """Runs the command with a configuration.

    Attributes:
        folder: has the configuration.
    """

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "KARBOR_BACKUP_CONFIG": str(self.folder / "config.toml"),
            "PATH": f"{Path(PROGRAM).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def configure(self, url: str, more: str = "") -> None:
        """Write the configuration."""
        (self.folder / "config.toml").write_text(
            f"""
[store]
url = "{url}"
[policy]
poll_first = 0.05
poll_limit = 0.1
[workers]
heartbeat = 0.3
sweep = 1
{more}
[backends.mine]
use = "fake"
"""
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end."""
        return subprocess.run(
            [PROGRAM, *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG,
        )

    def json(self, *arguments: str) -> Any:
        """Run the command, which is to succeed, and return its document."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@contextlib.contextmanager
def run_workers(command: Sequence[str], environ: Mapping[str, str], number: int) -> Iterator[None]:
    """Run workers, and stop them at the end, which they are to take well.

    Args:
        command: begins with the program, and runs a worker.
        environ: names its configuration.
        number: how many.
    """
    workers = [subprocess.Popen(command, env=environ) for _ in range(number)]

    def registered() -> set[int]:
        arguments = [command[0], "workers", "--json"]
        listed = subprocess.run(arguments, env=environ, stdout=subprocess.PIPE, check=True)
        return {each["pid"] for each in json.loads(listed.stdout)["workers"]}

    try:
        yield
        # One that is still starting does not hear the signal yet.
        pids = {each.pid for each in workers}
        wait_until(lambda: registered() >= pids)
        for each in workers:
            each.send_signal(signal.SIGTERM)
            assert each.wait(LONG) == 0
    finally:
        for each in workers:
            each.kill()
            each.wait()
