"""The way to the cloud's services: one openstacksdk connection over the session with Keystone."""

import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import BackendError
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.errors import translate_errors

if TYPE_CHECKING:
    from openstack.connection import Connection as Sdk

_RETRIES: Final = ("connect_retries", "status_code_retries")
"""What makes keystoneauth repeat requests, and sleep in between; also with a service's name."""


class CloudServices:
    """Nova, Cinder, Glance and Neutron of one project. Safe for use by several threads.

    Region, interface, timeout and endpoints are those of the connection. Requests are tried once,
    since only the core repeats, and are not logged, since they may hold secrets.

    Args:
        connection: which cloud.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._sdk: Sdk | None = None
        self._project = ""

    @property
    def sdk(self) -> "Sdk":
        """The connection of openstacksdk; its requests belong into ``errors.translate_errors``.

        Raises:
            Transient: Keystone cannot be reached now.
            BackendError: the credentials are incomplete, or Keystone refuses them.
        """
        with self._lock:
            if self._sdk is None:
                self._sdk = self._open()
            return self._sdk

    @property
    def project(self) -> str:
        """The id of the project that the credentials are for. Errors are those of ``sdk``."""
        if not self._project:
            session = self.sdk.session
            with translate_errors("Keystone for the project of the credentials"):
                project = session.get_project_id()
            if not project:
                raise BackendError("the credentials have no project: set one")
            self._project = project
        return self._project

    def _open(self) -> "Sdk":
        from openstack.config.cloud_region import CloudRegion
        from openstack.connection import Connection as Sdk

        from karbor_backup_openstack.quiet_session import QuietSession

        region = self._connection.region
        session = QuietSession.from_session(
            region.get_session(), timeout=region.config["api_timeout"]
        )
        # openstacksdk 4.22 keeps what it has asked in a cache of a class (``Proxy._extract_name``),
        # and with it the session, longer than anybody needs them.
        weakref.finalize(self, session.session.close)
        return Sdk(
            config=CloudRegion(
                region.name,
                self._connection.region_name,
                _without_retries(region.config),
                session=session,
            ),
            # Without it a service that is down at first use is taken for one of another version.
            strict_proxies=True,
        )


def _without_retries(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cloud's configuration with which no request is repeated, whatever it says.

    openstacksdk's own default is to ask Glance six times.
    """
    kept = {key: value for key, value in config.items() if not key.endswith(_RETRIES)}
    return {**kept, **dict.fromkeys(_RETRIES, 0)}
