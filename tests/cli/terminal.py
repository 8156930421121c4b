"""The command in a process of its own, on a terminal of its own."""

import errno
import os
import pty
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

_SCRIPT = """
from karbor_backup_cli._entry import run
from karbor_backup_fake import named_cloud
cloud = named_cloud({cloud!r})
{preparation}
run()
"""


class Terminal:
    """Runs the command and sees what a person would see.

    Args:
        arguments: of the command.
        cloud: the name of the fake cloud of that process.
        preparation: Python lines that prepare it, as ``cloud``.
    """

    def __init__(self, *arguments: str, cloud: str, preparation: str = "") -> None:
        self.output = ""
        self._seen = 0
        self._master, slave = pty.openpty()
        start = _SCRIPT.format(cloud=cloud, preparation=preparation)
        self._process = subprocess.Popen(
            [sys.executable, "-c", start, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "160"},
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def wait_for(self, text: str) -> None:
        """Read until a text has been shown after the one that was waited for before."""
        while (at := self.output.find(text, self._seen)) < 0:
            assert self._read(), f"{text!r} was never shown, only: {self.output}"
        self._seen = at + len(text)

    def type_text(self, text: str) -> None:
        os.write(self._master, text.encode())

    def send_signal(self, signum: signal.Signals) -> None:
        self._process.send_signal(signum)

    def wait_for_exit(self) -> int:
        """Wait for the end; answer the exit status."""
        while self._read():
            pass
        return self._process.wait()

    def signal_until_exit(self, signum: signal.Signals) -> int:
        """Send a signal again and again until the process has ended; answer the exit status."""
        while self._process.poll() is None:
            self.send_signal(signum)
            time.sleep(0.1)
        return self.wait_for_exit()

    def _read(self) -> bool:
        try:
            chunk = os.read(self._master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # that is how Linux says that nobody holds the other end
                raise
            return False
        self.output += chunk.decode(errors="replace")
        return bool(chunk)
