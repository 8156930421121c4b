"""Logins that find a scripted cloud, which Keystone's catalog does not have.

In the catalog everybody would find it, real agents too: these look for the image service whatever
their job is, and fail when it has gone with the test that it was for.
"""

from collections.abc import Mapping
from typing import Any

import requests
from keystoneauth1.access import AccessInfoV3
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from sandbox.accounts import DOMAIN, REGION, Account


class PasswordWithCatalog(Password):
    """A login with a password, whose catalog has services that Keystone's own has not.

    Args:
        endpoints: URLs by types of services.
        credentials: what `Password` takes.
    """

    def __init__(self, endpoints: Mapping[str, str], **credentials: Any) -> None:
        super().__init__(**credentials)
        self._endpoints = dict(endpoints)

    def get_auth_ref(self, session: Session, **options: Any) -> AccessInfoV3:
        """Log in; arguments are those of `Password`."""
        access = super().get_auth_ref(session, **options)
        access.service_catalog.catalog.extend(
            _catalog_entry(service, url) for service, url in self._endpoints.items()
        )
        return access


def _catalog_entry(service: str, url: str) -> dict[str, Any]:
    """Return what a token's catalog says of a service."""
    endpoints = [
        {"interface": interface, "region_id": REGION, "region": REGION, "url": url}
        for interface in ("public", "internal", "admin")
    ]
    return {"type": service, "name": f"scripted-{service}", "endpoints": endpoints}


def open_session(auth_url: str, account: Account, endpoints: Mapping[str, str]) -> Session:
    """Return a session in which requests are made in an account's name.

    Args:
        auth_url: Keystone's.
        account: whose name.
        endpoints: the scripted cloud's, see `ScriptedCloud.endpoints`.
    """
    login = PasswordWithCatalog(
        endpoints,
        auth_url=auth_url,
        username=account.user,
        password=account.password,
        project_name=account.project,
        user_domain_id=DOMAIN,
        project_domain_id=DOMAIN,
    )
    connections = requests.Session()
    connections.trust_env = False  # no proxy stands before loopback
    return Session(auth=login, session=connections)
