"""A real Keystone and a real Freezer API on MariaDB, where only what is measured happens."""

import configparser
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import sqlalchemy as sa
from freezerclient.v2.client import Client

from benchmarks.freezer.database_scheduler import DatabaseScheduler, truncate_tables
from benchmarks.freezer.subject_protocol import VerbResult
from benchmarks.process_monitor import MonitoredResult, run_monitored
from sandbox import Sandbox
from sandbox.scheduler import DEFAULT_CAPABILITIES

INSTANCE: Final = "benchmarks"
CLIENT: Final = "scheduler"
HOST: Final = "scheduler-host"

_POOL_SIZE: Final = 4


@attrs.frozen
class FreezerEnvironment:
    """The servers, and what is needed to work with them.

    Attributes:
        root: the project's checkout.
        sandbox: the servers.
        database: the Freezer API's.
    """

    root: Path
    sandbox: Sandbox
    database: sa.Engine

    @classmethod
    def start(cls, root: Path, report: Callable[[str], None]) -> "FreezerEnvironment":
        """Bring the servers up; the scheduler that comes with them rests.

        Args:
            root: the project's checkout.
            report: is told, in a line, what is being done.

        Raises:
            SandboxError: they did not come up.
        """
        sandbox = Sandbox.up(
            root,
            instance=INSTANCE,
            freezer_database="mariadb",
            report=report,
        )
        for server in sandbox.servers:
            if server.startswith("scheduler-"):
                sandbox.stop(server)
        configuration = configparser.ConfigParser(interpolation=None)
        configuration.read(sandbox.instance.layout.configuration / "freezer-api.conf")
        url = configuration["database"]["connection"]
        database = sa.create_engine(url, pool_size=_POOL_SIZE)
        environment = cls(root, sandbox, database)
        environment.new_client().clients.create(
            {"client_id": CLIENT, "hostname": HOST, "is_central": False, **DEFAULT_CAPABILITIES}
        )
        return environment

    def close(self) -> None:
        """Take everything down."""
        self.database.dispose()
        self.sandbox.down()

    def new_client(self) -> Client:
        """Return Freezer's own client, in the project `demo`."""
        return Client(session=self.sandbox.session(), endpoint=self.sandbox.freezer_url)

    @property
    def access_parameters(self) -> dict[str, str]:
        """What a process needs to work in the project `demo`."""
        account = self.sandbox.accounts["demo"]
        return {
            "auth_url": self.sandbox.auth_url,
            "endpoint": self.sandbox.freezer_url,
            "clouds": str(self.sandbox.clouds_yaml),
            "cloud": account.user,
            "user": account.user,
            "password": account.password,
            "project": account.project,
            "project_id": self.sandbox.session().get_project_id() or "",
            "client": CLIENT,
            "host": HOST,
        }

    @contextlib.contextmanager
    def run_jobs(self, seconds: float) -> Iterator[DatabaseScheduler]:
        """Let jobs run for so long each, with nothing in the tables that was there before."""
        truncate_tables(self.database)
        with DatabaseScheduler(self.database, CLIENT, seconds) as scheduler:
            yield scheduler

    def run_subject(
        self, subject: str, request: Mapping[str, Any], *, python: str = ""
    ) -> "SubjectResult":
        """Let a subject do its work in a process of its own.

        Args:
            subject: its module.
            request: what it is to do.
            python: the interpreter; this one unless given.
        """
        began = time.time()
        watched = run_monitored(
            [python or sys.executable, "-P", "-m", subject],
            self.root,
            {**self.access_parameters, **request},
        )
        return SubjectResult(
            watched, [VerbResult.from_document(each) for each in watched.answer["verbs"]], began
        )


@attrs.frozen
class SubjectResult:
    """What a subject has done.

    Attributes:
        process: what was seen of its process.
        verbs: what it says, verb by verb.
        began: when it was started, in seconds since 1970.
    """

    process: MonitoredResult
    verbs: list[VerbResult]
    began: float
