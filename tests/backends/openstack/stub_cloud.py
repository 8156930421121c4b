"""A cloud that answers as a test tells it: real requests of openstacksdk, answers from a list.

The answers are those of Nova 34, Cinder 29, Glance 33 and Neutron 29, shortened to what is read.
"""

import json
import re
from types import TracebackType
from typing import Any, Self

from keystoneauth1 import session, token_endpoint
from openstack.config.cloud_region import from_session

from karbor_backup_freezer.config import Configuration
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.services import CloudServices
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy
from tests.support.http_faults import HttpFault, HttpResponse

PROJECT_ID = "03fb1492a4884913abafd74fb0735b7b"
TIMEOUT = 60.0
"""Seconds for one request: only one that hangs takes them."""

_ENDPOINTS = {
    "compute": "compute/v2.1",
    "block_storage": "volume/v3",
    "image": "image/v2",
    "network": "network/v2.0",
}
_VERSIONS = {
    "compute": {"id": "v2.1", "version": "2.104", "min_version": "2.1"},
    "block_storage": {"id": "v3.0", "version": "3.71", "min_version": "3.0"},
    "image": {"id": "v2.15"},
    "network": {"id": "v2.0"},
}


class _Token(token_endpoint.Token):  # type: ignore[misc, unused-ignore] # untyped in some versions
    """Credentials of a fixed project."""

    def get_project_id(self, *_args: Any, **_kwargs: Any) -> str:
        return PROJECT_ID


class StubConnection(Connection):
    """A connection with given endpoints, without Keystone.

    Args:
        url: where the services are.
        config: what else the cloud's configuration says.
    """

    def __init__(self, url: str, **config: Any) -> None:
        super().__init__(Configuration.from_document({"timeout": TIMEOUT}))
        self._url = url
        self._config = config

    @property
    def region(self) -> Any:
        config: dict[str, Any] = {"api_timeout": TIMEOUT, "interface": "public", **self._config}
        for service, path in _ENDPOINTS.items():
            config[f"{service}_endpoint_override"] = f"{self._url}/{path}"
            config[f"{service}_api_version"] = re.sub(r".*/v(\d).*", r"\1", path)
        known = session.Session(auth=_Token(self._url, "token"))
        return from_session(known, name="stub_cloud", **config)


class StubCloud:
    """Nova, Cinder, Glance and Neutron at one URL; what no answer is given for is not found.

    Args:
        first: a fault that strikes requests in whose path a regular expression is found.
        timeout: seconds that one request may take.
    """

    def __init__(
        self, first: tuple[HttpFault, str] | None = None, timeout: float = TIMEOUT
    ) -> None:
        self._nothing = FaultProxy("http://127.0.0.1:9")
        self._nothing.plan(http_faults.error_response(404), times=None)
        self.proxy = FaultProxy(self._nothing.url)
        self.services = CloudServices(StubConnection(self.proxy.url, api_timeout=timeout))
        if first is not None:
            self.proxy.plan(first[0], times=None, path=first[1])
        self.add_version_responses()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.proxy.close()
        self._nothing.close()

    def add_response(self, path: str, document: Any, status: int = 200) -> None:
        """Return requests in whose path a regular expression is found."""
        headers = (("Content-Type", "application/json"),)
        answer = HttpResponse(status, headers, json.dumps(document).encode())
        self.proxy.plan(HttpFault(f"answer to {path}", answer=answer), times=None, path=path)

    def add_version_responses(self) -> None:
        """Return the requests by which openstacksdk learns a service's versions."""
        for service, path in _ENDPOINTS.items():
            links = [{"rel": "self", "href": f"{self.proxy.url}/{path}/"}]
            version = {**_VERSIONS[service], "status": "CURRENT", "links": links}
            self.add_response(f"^/{path}/?$", {"version": version})
