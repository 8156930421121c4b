"""Karbor's own command-line client (python-karborclient), as its users call it."""

import os
import re
import subprocess

import attrs

from sandbox.ports import HOST
from tests.e2e.karbor.karbor_service import KarborService


@attrs.frozen
class KarborClient:
    """The command ``karbor`` for one running Karbor without Keystone.

    Its ``plan-create`` asks Cinder and Nova for each resource, so plans are made without it.

    Attributes:
        karbor: the service.
    """

    karbor: KarborService

    def run(self, *arguments: str) -> dict[str, str]:
        """Run one subcommand; return the properties in the table that it prints."""
        url = f"http://{HOST}:{self.karbor.port}/v1/{self.karbor.project}"
        connection = [
            "--os-no-client-auth",
            *("--karbor-url", url),
            *("--os-auth-token", self.karbor.token),
            *("--os-project-id", self.karbor.project),
        ]
        done = subprocess.run(
            [self.karbor.environment.bin / "karbor", *connection, *arguments],
            env={**os.environ, "PYTHONWARNINGS": "ignore", "COLUMNS": "400", "no_proxy": HOST},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return _parse_table(done.stdout)

    def operation_log(self, checkpoint: str) -> dict[str, str]:
        """Return the log of the last operation on a checkpoint."""
        listed = self.karbor.call("GET", "/operation_logs")["operation_logs"]
        of_it = [each for each in listed if each["checkpoint_id"] == checkpoint]
        newest = max(of_it, key=lambda each: str(each["started_at"]))
        return self.run("operationlog-show", str(newest["id"]))


def _parse_table(text: str) -> dict[str, str]:
    """Read a table of two columns; a cell of several lines is put together again."""
    fields: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        match = re.match(r"^\| (.*?) *\| (.*?) *\|$", line)
        if match is None:
            continue
        name = match[1].strip() or name
        fields[name] = f"{fields[name]}\n{match[2]}" if name in fields else match[2]
    return fields
