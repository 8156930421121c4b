"""Which of a catalog's endpoints is a service's, and by what it is known again under another name.

A service keeps its id in Keystone when the URL of its endpoint changes. So what the catalog knows
is identified by the service's id and its region, since one service may have a database of its own
in each region. A URL that the catalog does not know has nothing but itself.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import attrs

from karbor_backup_core import BackendError, InvalidInput, suggest_name

_PORTS: Final = {"http": 80, "https": 443}
_VERSION: Final = re.compile(r"/v\d+(\.\d+)?$")


@attrs.frozen
class Service:
    """The service that keeps a backend's backups.

    Attributes:
        type: its official type; what the catalog calls by an alias of it is the same.
        name: its name for people.
        api: the path of the project's part of its API, with ``{project}`` for the project's id.
        override: the words for a URL of it that takes the place of the catalog's.
    """

    type: str
    name: str
    api: str
    override: str


@attrs.frozen
class Endpoint:
    """An endpoint of the service in Keystone's catalog.

    Attributes:
        service: the service's id in Keystone.
        region: the region's id.
        interface: public, internal or admin.
        url: as the catalog has it.
    """

    service: str
    region: str
    interface: str
    url: str


def parse_catalog(catalog: Iterable[Mapping[str, Any]], service_type: str) -> Sequence[Endpoint]:
    """Return a service's endpoints in a token's catalog (Keystone's API v3).

    Those of the official type come first, then those of its aliases in the order that OpenStack
    gives them: a catalog may list one service under several types.
    """
    from os_service_types import ServiceTypes

    types = ServiceTypes().get_all_types(service_type)
    listed = [service for service in catalog if service.get("type") in types]
    return [
        Endpoint(
            service=service.get("id") or "",
            region=endpoint.get("region_id") or endpoint.get("region") or "",
            interface=endpoint.get("interface") or "",
            url=endpoint.get("url") or "",
        )
        for service in sorted(listed, key=lambda service: types.index(service["type"]))
        for endpoint in service.get("endpoints") or ()
    ]


def choose_region(
    endpoints: Sequence[Endpoint], asked: str | None, service: Service, source: str = ""
) -> str | None:
    """Return the region whose service is to be used, None where the catalog knows of none.

    Args:
        endpoints: the service's, in the catalog.
        asked: the configured region.
        service: the service.
        source: where the cloud is from, for people.

    Raises:
        InvalidInput: there is none in that region, or none is asked for and several have one.
    """
    known = sorted({endpoint.region for endpoint in endpoints})
    names = ", ".join(known)
    of = f"the catalog of {source}" if source else "the catalog"
    if asked and known and asked not in known:
        raise InvalidInput(
            f"{of} has no {service.type} service in region {asked!r}: "
            f"{suggest_name(asked, known)}it has one in: {names}; name one of these, or "
            f"{service.override}"
        )
    if not asked and len(known) > 1:
        raise InvalidInput(
            f"{of} has a {service.type} service in several regions ({names}): name the "
            "region, so that all requests go to the same one"
        )
    return asked or (known[0] if known else None)


def base_url(url: str, project: str) -> str:
    """Return a service's URL without version and project, in the one way in which it is written.

    Scheme and host are in lower case, a default port and slashes at the end are left out.

    Raises:
        BackendError: it is no URL.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise BackendError(f"endpoint {url!r} is not a URL: {error}") from None
    if parts.scheme not in _PORTS or not host:
        raise BackendError(
            f"endpoint {url!r} is not a URL: write it as http(s)://HOST[:PORT][/PATH]"
        )
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != _PORTS[parts.scheme]:
        host = f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    if project:
        path = path.removesuffix(f"/AUTH_{project}").removesuffix(f"/{project}")
    return urlunsplit((parts.scheme, host, _VERSION.sub("", path), "", ""))


def build_scope(base: str, endpoints: Iterable[Endpoint], region: str | None, project: str) -> str:
    """Return the text by which the service at a URL, and the project, are known again.

    Args:
        base: the URL, as ``base_url`` writes it.
        endpoints: the service's, in the catalog.
        region: the region that is used; it decides where several have the same URL.
        project: the project's id.
    """
    same = [e for e in endpoints if e.service and _has_base_url(e, base, project)]
    best = next((e for e in same if e.region == region), next(iter(same), None))
    known_as = f"service {best.service} in region {best.region}" if best else base
    return f"{known_as}|{project}"


def _has_base_url(endpoint: Endpoint, base: str, project: str) -> bool:
    try:
        return base_url(endpoint.url, project) == base
    except BackendError:
        return False
