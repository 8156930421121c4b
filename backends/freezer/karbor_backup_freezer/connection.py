"""Which Freezer: credentials, endpoint and project, found out at the first use."""

import threading
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import BackendError
from karbor_backup_freezer import faults
from karbor_backup_freezer.config import Configuration

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.session import Session

SERVICE_TYPE: Final = "backup"


class Connection:
    """A session with the cloud, and where its Freezer is.

    Credentials come from openstacksdk's loader (``clouds.yaml``, ``OS_*``), unless a session is
    given. A session of the loader gives every request to Keystone the configured timeout; one
    that is given keeps its own.

    Args:
        configuration: names cloud, region, interface and endpoint.
        session: a keystoneauth session to use instead of the loader's.
    """

    def __init__(self, configuration: Configuration, session: "Session | None" = None) -> None:
        self._configuration = configuration
        self._session = session
        self._lock = threading.Lock()
        self._adapter: Adapter | None = None
        self._scope = ""

    @property
    def adapter(self) -> "Adapter":
        """The way to the project's part of Freezer's API; connections are kept and reused.

        Raises:
            Transient: Keystone cannot be reached now.
            BackendError: nothing is configured, or Keystone refuses the credentials, or its
                catalog has no Freezer.
        """
        with self._lock:
            if self._adapter is None:
                self._adapter = self._open()
            return self._adapter

    @property
    def endpoint(self) -> str:
        """Freezer's URL without the version. Errors are those of ``adapter``."""
        return self.scope.partition("|")[0]

    @property
    def scope(self) -> str:
        """Freezer's URL and the project's id. Errors are those of ``adapter``."""
        return self._scope if self.adapter else ""

    def _open(self) -> "Adapter":
        from keystoneauth1 import exceptions
        from keystoneauth1.adapter import Adapter

        given = self._configuration.endpoint
        session = self._session
        try:
            if session is None:
                session, override = self._load()
                given = given or override
            endpoint = given or self._endpoint(session)
            project = session.get_project_id()
        except exceptions.ClientException as error:
            timeout = self._configuration.timeout
            raise faults.of_connection(error, "Keystone", timeout) from error
        if not project:
            raise BackendError("the credentials are for no project: name one")
        base = endpoint.rstrip("/").removesuffix("/v2")
        self._scope = f"{base}|{project}"
        return Adapter(
            session,
            service_type=SERVICE_TYPE,
            endpoint_override=f"{base}/v2/{project}",
            connect_retries=0,
        )

    def _load(self) -> "tuple[Session, str | None]":
        """Read ``clouds.yaml`` and ``OS_*``; answer a session and the endpoint they name."""
        from openstack import config, exceptions

        named = {
            "cloud": self._configuration.cloud,
            "region_name": self._configuration.region,
            "interface": self._configuration.interface,
        }
        chosen: dict[str, Any] = {key: value for key, value in named.items() if value is not None}
        try:
            region = config.OpenStackConfig().get_one(
                api_timeout=self._configuration.timeout, **chosen
            )
            return region.get_session(), region.get_endpoint(SERVICE_TYPE)
        except exceptions.ConfigException as error:
            raise BackendError(f"OpenStack credentials: {error}") from error

    def _endpoint(self, session: "Session") -> str:
        endpoint = session.get_endpoint(
            service_type=SERVICE_TYPE,
            interface=self._configuration.interface or "public",
            region_name=self._configuration.region,
        )
        if not endpoint:
            raise BackendError(
                "the catalog has no backup service in this region: name Freezer's URL as endpoint"
            )
        return endpoint
