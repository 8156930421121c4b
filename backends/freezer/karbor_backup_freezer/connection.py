"""Which Freezer: credentials, endpoint and project, found out at the first use."""

import threading
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import BackendError
from karbor_backup_freezer import faults
from karbor_backup_freezer.config import Configuration

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion

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
        self._region: CloudRegion | None = None
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
    def region(self) -> "CloudRegion":
        """The cloud's session, with what is configured for each of its services.

        Raises:
            BackendError: nothing is configured, or no cloud of that name.
        """
        with self._lock:
            return self._opened_region()

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

        try:
            region = self._opened_region()
            session = region.get_session()
            endpoint = (
                self._configuration.endpoint
                or region.get_endpoint(SERVICE_TYPE)
                or self._endpoint(session)
            )
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

    def _opened_region(self) -> "CloudRegion":
        if self._region is None:
            self._region = self._load() if self._session is None else self._given(self._session)
        return self._region

    def _load(self) -> "CloudRegion":
        """Read ``clouds.yaml`` and ``OS_*``."""
        from openstack import config, exceptions

        from karbor_backup_freezer.transport import CloudSession

        named = {
            "cloud": self._configuration.cloud,
            "region_name": self._configuration.region,
            "interface": self._configuration.interface,
        }
        chosen: dict[str, Any] = {key: value for key, value in named.items() if value is not None}
        try:
            loader = config.OpenStackConfig(session_constructor=CloudSession)
            region = loader.get_one(api_timeout=self._configuration.timeout, **chosen)
            # Asked for now, since it is what tells that credentials are incomplete.
            region.get_session()
        except exceptions.ConfigException as error:
            raise BackendError(f"OpenStack credentials: {error}") from error
        return region

    def _given(self, session: "Session") -> "CloudRegion":
        from openstack.config.cloud_region import from_session

        return from_session(
            session,
            name="given",
            region_name=self._configuration.region,
            interface=self._configuration.interface or "public",
            api_timeout=self._configuration.timeout,
        )

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
