"""Freezer schedulers, which run the agents."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from sandbox.accounts import DOMAIN, REGION, Account, write_secret
from sandbox.layout import Layout
from sandbox.services import Service, server_environ

CLIENT_ID = "node1"
"""The client id of the scheduler that every sandbox has."""

DEFAULT_CAPABILITIES: Final = {
    "supported_actions": ["backup", "restore", "info", "admin", "exec"],
    "supported_modes": [
        "fs",
        "mongo",
        "mysql",
        "sqlserver",
        "cinder",
        "glance",
        "cindernative",
        "nova",
    ],
    "supported_storages": ["local", "swift", "ssh", "s3", "ftp", "ftps"],
    "supported_engines": ["tar", "rsync", "rsyncv2", "nova", "osbrick", "glance"],
}
"""What a scheduler of 19.0.0 declares unless it is told otherwise."""

_POLL_INTERVAL = 1
_CONCURRENT_JOBS = 4


@attrs.frozen
class Capabilities:
    """What a scheduler declares that it can do; a None leaves Freezer's default, everything.

    A scheduler ignores, for ever and silently, a job that names anything else.
    """

    actions: Sequence[str] | None = None
    modes: Sequence[str] | None = None
    storages: Sequence[str] | None = None
    engines: Sequence[str] | None = None

    def options(self) -> str:
        """Return them as the scheduler's configuration options."""
        declared = {
            "supported_actions": self.actions,
            "supported_modes": self.modes,
            "supported_storages": self.storages,
            "supported_engines": self.engines,
        }
        return "\n".join(
            f"{option} = {','.join(values)}"
            for option, values in declared.items()
            if values is not None
        )


def name(client_id: str) -> str:
    """Return the name of a scheduler's service."""
    return f"scheduler-{client_id}"


def configure(
    layout: Layout,
    client_id: str,
    *,
    auth_url: str,
    account: Account,
    capabilities: Capabilities,
) -> None:
    """Write the configuration of a scheduler.

    Args:
        layout: the instance.
        client_id: what the API knows it by.
        auth_url: Keystone's.
        account: whose jobs it runs, with that account's rights.
        capabilities: what it declares.
    """
    home = layout.scheduler(client_id)
    for directory in (home, home / "jobs", home / "tmp"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(
        home / "scheduler.conf",
        f"""\
[DEFAULT]
use_stderr = true
[service_auth]
os_auth_url = {auth_url}
os_username = {account.user}
os_password = {account.password}
os_project_name = {account.project}
os_user_domain_id = {DOMAIN}
os_project_domain_id = {DOMAIN}
os_region_name = {REGION}
os_endpoint_type = public
[scheduler]
client_id = {client_id}
interval = {_POLL_INTERVAL}
concurrent_jobs = {_CONCURRENT_JOBS}
jobs_dir = {home / "jobs"}
no_daemon = true
[capabilities]
{capabilities.options()}
""",
    )


def service(layout: Layout, programs: Path, client_id: str) -> Service:
    """Return a scheduler's server.

    HOME and the temporary directory are its own: scheduler and agent leave credentials there.
    """
    home = layout.scheduler(client_id)
    return Service(
        name=name(client_id),
        command=[
            str(programs / "freezer-scheduler"),
            f"--config-file={home / 'scheduler.conf'}",
            "start",
        ],
        environ=server_environ(layout, programs, {"HOME": str(home), "TMPDIR": str(home / "tmp")}),
        directory=home,
        log=layout.logs / f"{name(client_id)}.log",
        # It says so after its first successful poll, and it registers before it polls.
        ready_text="jobs from API",
    )
