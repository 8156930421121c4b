"""The sandbox as its users see it: a cloud with a real Keystone and a real Freezer."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs
from keystoneauth1.session import Session

from sandbox import keystone, parts, scheduler, watchdog
from sandbox.accounts import CLOUDS, Account, write_clouds_yaml
from sandbox.bringup import bring_up, start_scheduler
from sandbox.databases import DatabaseKind, ensure_databases
from sandbox.environments import Report, ensure_environment
from sandbox.errors import SandboxError
from sandbox.ftp import Ftp
from sandbox.instance import Instance, remove_abandoned, report_nothing
from sandbox.layout import Project
from sandbox.openstack.testing import CloudTestTools
from sandbox.ports import no_proxy_variables, uses_proxy
from sandbox.processes import ProcessId
from sandbox.s3 import S3
from sandbox.scheduler import Capabilities
from sandbox.services import StartedServer
from sandbox.ssh import Ssh
from sandbox.swift import Swift

DEFAULT_INSTANCE = "default"


@attrs.frozen
class Sandbox:
    """A sandbox that is up.

    Used as a context manager, it is taken down at the end, if this object brought it up.

    Attributes:
        instance: the engine room.
        is_new: whether this object brought it up, or found it.
    """

    instance: Instance
    is_new: bool

    @classmethod
    def up(
        cls,
        root: Path,
        *,
        instance: str = DEFAULT_INSTANCE,
        with_parts: Iterable[str] = (),
        freezer_database: DatabaseKind = "sqlite",
        detached: bool = False,
        owner: int | None = None,
        report: Report = report_nothing,
    ) -> Self:
        """Bring a sandbox up; one that is up already is returned as it is.

        Args:
            root: the project's checkout; files are written in its `.cache` and `.sandbox` only.
            instance: its name; several run side by side.
            with_parts: optional parts to bring up too, see `sandbox.parts.PARTS`.
            freezer_database: what the Freezer API keeps its jobs in; on "sqlite" it serves one
                client at a time, on "mariadb" many.
            detached: whether it stays when its owner ends.
            owner: the process whose end, of any kind, takes it down; this one unless given.
            report: is told, in lines for people, what is being done.

        Raises:
            SandboxError: it could not be brought up; nothing is left running.
        """
        project = Project(root)
        parts_wanted = parts.check_names(with_parts)
        room = Instance(project, project.instance(instance), report)
        servers = ensure_environment(project, "freezer", report)
        templates = ensure_databases(servers, report)
        with project.lock():
            remove_abandoned(project)
            sandbox = cls(room, is_new=not room.is_up)
            if sandbox.is_new:
                watched = ProcessId.of(owner or os.getpid())
                bring_up(
                    room,
                    servers,
                    templates,
                    freezer_database=freezer_database,
                    watched=watched,
                    owner=None if detached else watched,
                )
            sandbox._bring_up_missing(parts_wanted, freezer_database)
        return sandbox

    def _bring_up_missing(
        self, parts_wanted: Iterable[str], freezer_database: DatabaseKind
    ) -> None:
        """Bring up what a sandbox that is up lacks; a new one goes down again if that fails.

        Raises:
            SandboxError: a part could not be brought up, or the database is another one.
        """
        kind = self.instance.state.freezer_database
        if kind != freezer_database:
            raise SandboxError(
                f"The sandbox {self.instance.layout.name!r} is up with its Freezer API on {kind}, "
                f"not {freezer_database}: take it down first, or name another instance"
            )
        try:
            for part in parts_wanted:
                self.part(part)
        except BaseException:
            if self.is_new:
                self.instance.take_down(keep_logs=True)
            raise

    @classmethod
    def attach(cls, root: Path, *, instance: str = DEFAULT_INSTANCE) -> Self:
        """Return a sandbox that is up, to use it, not to own it.

        Raises:
            NotRunningError: it is not up.
        """
        project = Project(root)
        room = Instance(project, project.instance(instance))
        room.state  # noqa: B018 - raises when it is not up
        return cls(room, is_new=False)

    def down(self, *, keep_logs: bool = False) -> None:
        """End every process of the sandbox and remove its files.

        Args:
            keep_logs: whether the servers' logs stay; they are no place for secrets, but a server
                may have written one there.
        """
        with self.instance.project.lock():
            self.instance.take_down(keep_logs=keep_logs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self.is_new:
            self.down()

    @property
    def auth_url(self) -> str:
        """Where Keystone answers."""
        return self.instance.state.auth_url

    @property
    def freezer_url(self) -> str:
        """Where the Freezer API answers; clients add version and project."""
        return self.instance.state.freezer_url

    @property
    def accounts(self) -> Mapping[str, Account]:
        """The accounts, by user; they are what `clouds.yaml` says."""
        return self.instance.state.accounts

    @property
    def clouds_yaml(self) -> Path:
        """The file with the credentials of the clouds `demo`, `other` and `admin`."""
        return self.instance.layout.clouds_yaml

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that make every OpenStack tool work in the cloud `demo`."""
        credentials = {"OS_CLIENT_CONFIG_FILE": str(self.clouds_yaml), "OS_CLOUD": CLOUDS[0]}
        return credentials | (no_proxy_variables(os.environ) if uses_proxy(os.environ) else {})

    @property
    def config_toml(self) -> Path:
        """The configuration for `karbor-backup`; its store is in the sandbox's folder."""
        return self.instance.layout.config_toml

    def session(self, cloud: str = CLOUDS[0]) -> Session:
        """Return a keystoneauth session in one of the clouds.

        Raises:
            SandboxError: there is no such cloud.
        """
        return keystone.session(self.auth_url, self._get_account(cloud))

    @property
    def storage_dir(self) -> Path:
        """A directory for backups on storage kind `local`."""
        return self.instance.layout.storage

    def scheduler_home(self, client_id: str) -> Path:
        """Return the folder that is HOME to one scheduler and its agents."""
        return self.instance.layout.scheduler(client_id)

    @property
    def logs(self) -> Path:
        """The directory of the servers' logs."""
        return self.instance.layout.logs

    @property
    def servers(self) -> dict[str, StartedServer]:
        """The servers by name, whether they run or have been stopped."""
        servers = self.instance.servers()
        servers.pop(watchdog.NAME, None)
        return servers

    def write_clouds_yaml(self, path: Path, *, freezer_url: str) -> None:
        """Write a `clouds.yaml` whose users find the Freezer API elsewhere: behind a proxy, say.

        Args:
            path: the file to write, readable by its owner only.
            freezer_url: where they find it.
        """
        clouds = [self.accounts[cloud] for cloud in CLOUDS]
        write_clouds_yaml(path, clouds, self.auth_url, freezer_url=freezer_url)

    def stop(self, server: str) -> None:
        """Stop a server and all that it started, such as a scheduler's agents.

        Raises:
            ServiceError: there is no server of that name.
        """
        self.instance.stop(server)

    def restart(self, server: str) -> None:
        """Stop a server, where it runs, and start it again, on the same port.

        Raises:
            ServiceError: there is no server of that name, or it did not come up.
        """
        self.instance.restart(server)

    def add_scheduler(
        self, client_id: str, *, cloud: str = CLOUDS[0], capabilities: Capabilities | None = None
    ) -> str:
        """Start one more scheduler; one that runs already is left as it is.

        Args:
            client_id: what the Freezer API knows it by.
            cloud: whose jobs it runs.
            capabilities: what it declares that it can do; everything unless given.

        Returns:
            The name of its server, for `stop` and `restart`.

        Raises:
            SandboxError: there is no such cloud, or it did not come up.
        """
        account = self._get_account(cloud)
        with self.instance.project.lock():
            name = scheduler.name(client_id)
            known = self.servers.get(name)
            if known is None or not known.is_running:
                start_scheduler(
                    self.instance,
                    self.instance.state,
                    client_id,
                    account=account,
                    capabilities=capabilities,
                )
        return name

    @property
    def ssh(self) -> Ssh:
        """The part `ssh`, brought up if need be."""
        facts: Ssh = self.part("ssh")
        return facts

    @property
    def swift(self) -> Swift:
        """The part `swift`, brought up if need be."""
        facts: Swift = self.part("swift")
        return facts

    @property
    def s3(self) -> S3:
        """The part `s3`, brought up if need be, with `swift`."""
        facts: S3 = self.part("s3")
        return facts

    @property
    def ftp(self) -> Ftp:
        """The part `ftp`, brought up if need be."""
        facts: Ftp = self.part("ftp")
        return facts

    @property
    def cloud_test_tools(self) -> CloudTestTools:
        """What tests do with the part `cloud`, which is brought up if need be; that needs root."""
        self.part("cloud")
        return CloudTestTools(self.instance)

    def part(self, name: str) -> Any:
        """Return what is to be known of an optional part, which is brought up first if need be.

        Args:
            name: one of `sandbox.parts.PARTS`.

        Raises:
            SandboxError: there is no such part, or it did not come up.
        """
        with self.instance.project.lock():
            return parts.ensure_up(self.instance, name)

    def _get_account(self, cloud: str) -> Account:
        if cloud not in CLOUDS:
            raise SandboxError(f"There is no cloud {cloud!r}, only: {', '.join(CLOUDS)}")
        return self.accounts[cloud]
