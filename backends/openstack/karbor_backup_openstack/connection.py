"""Which service: credentials, endpoint and project, found out at the first use."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from karbor_backup_core import BackendError, InvalidInput
from karbor_backup_openstack import http_errors
from karbor_backup_openstack.catalog import (
    Endpoint,
    Service,
    base_url,
    build_scope,
    choose_region,
    parse_catalog,
)
from karbor_backup_openstack.configuration import DEFAULT_TIMEOUT, CloudConfiguration
from karbor_backup_openstack.credentials import load_region

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion


class Connection:
    """A session with the cloud, and where the configured service of it is.

    Credentials come from openstacksdk's loader (``clouds.yaml``, ``OS_*``), unless a session is
    given. What that says of region, interface and endpoints, also for one type of service alone,
    holds for this service as for others. A session of the loader gives every request to
    Keystone the configured timeout; one that is given keeps its own.

    Args:
        configuration: names cloud, region, interface and endpoint, and the service.
        session: a keystoneauth session to use instead of the loader's.
    """

    def __init__(self, configuration: CloudConfiguration, session: "Session | None" = None) -> None:
        self._configuration = configuration
        self._session = session
        self._lock = threading.Lock()
        self._adapter: Adapter | None = None
        self._region: CloudRegion | None = None
        self._source = ""
        self._scope = ""
        self._endpoint = ""
        self._found_region: str | None = None

    @property
    def adapter(self) -> "Adapter":
        """The way to the project's part of the service's API; connections are kept and reused.

        Raises:
            Transient: Keystone cannot be reached now.
            InvalidInput: no credentials, or no such cloud or region.
            BackendError: Keystone refuses the credentials, or its catalog has no such service.
        """
        with self._lock:
            if self._adapter is None:
                self._adapter = self._open()
            return self._adapter

    @property
    def region(self) -> "CloudRegion":
        """The cloud's session, with what is configured for each of its services.

        Raises:
            InvalidInput: no credentials, or no such cloud or region.
        """
        with self._lock:
            return self._load_region()

    @property
    def endpoint(self) -> str:
        """The service's URL without the version. Errors are those of ``adapter``."""
        return self._endpoint if self.adapter else ""

    @property
    def scope(self) -> str:
        """What identifies the service, and the project's id. Errors are those of ``adapter``."""
        return self._scope if self.adapter else ""

    @property
    def region_name(self) -> str | None:
        """The region of all services: the configured one, or the only one that has the service.

        Errors are those of ``region``.
        """
        name: str | None = self.region.region_name
        return name or self._found_region

    @property
    def timeout(self) -> float:
        """Seconds that a request may take. Errors are those of ``region``."""
        return float(self.region.config["api_timeout"])

    def _open(self) -> "Adapter":
        from keystoneauth1 import exceptions
        from keystoneauth1.adapter import Adapter

        timeout = self._configuration.timeout or DEFAULT_TIMEOUT
        service = self._configuration.service
        try:
            region = self._load_region()
            session = region.get_session()
            project = session.get_project_id()
            endpoints = _list_endpoints(session, service)
            url = self._configuration.endpoint or region.get_endpoint(service.type)
            asked = region.get_region_name(service.type)
            found = asked if url else choose_region(endpoints, asked, service, self._source)
            url = url or _catalog_url(region, session, found, service)
        except exceptions.ClientException as error:
            raise http_errors.from_connection_error(error, "Keystone", timeout) from error
        if not project:
            raise InvalidInput("the credentials have no project: set one")
        self._endpoint = base_url(url, project)
        self._scope = build_scope(self._endpoint, endpoints, found, project)
        self._found_region = found
        return Adapter(
            session,
            service_type=service.type,
            endpoint_override=f"{self._endpoint}/{service.api.format(project=project)}",
            connect_retries=0,
        )

    def _load_region(self) -> "CloudRegion":
        if self._region is None:
            given = self._session
            if given is None:
                self._region, self._source = load_region(self._configuration)
            else:
                self._region = self._region_from_session(given)
        return self._region

    def _region_from_session(self, session: "Session") -> "CloudRegion":
        from openstack.config.cloud_region import from_session

        return from_session(
            session,
            name="given",
            region_name=self._configuration.region,
            interface=self._configuration.interface or "public",
            api_timeout=self._configuration.timeout or DEFAULT_TIMEOUT,
        )


def _list_endpoints(session: "Session", service: Service) -> Sequence[Endpoint]:
    """Return the service's endpoints in the catalog; credentials without Keystone have none."""
    read = getattr(session.auth, "get_access", None)
    access = None if read is None else read(session)
    return [] if access is None else parse_catalog(access.service_catalog.catalog, service.type)


def _catalog_url(
    region: "CloudRegion", session: "Session", name: str | None, service: Service
) -> str:
    url: str | None = session.get_endpoint(
        service_type=service.type,
        service_name=region.get_service_name(service.type),
        interface=region.get_interface(service.type) or "public",
        region_name=name,
    )
    if not url:
        where = f"region {name!r}" if name else "any region"
        raise BackendError(
            f"the catalog has no {service.type} service in {where} for interface "
            f"{region.get_interface(service.type)!r}: name {service.override}"
        )
    return url
