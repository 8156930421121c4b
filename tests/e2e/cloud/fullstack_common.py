"""What Karbor's fullstack tests find otherwise here; imported before any of them.

It runs in Karbor's environment. docs/reference/karbor-tests.md lists each
replacement with its reason.
"""

from typing import Any
from unittest import mock

from karbor.tests.fullstack import karbor_base, karbor_objects
from keystoneauth1 import identity, session

POLL_SECONDS = 3

for name in ("SHORT_SLEEP", "MEDIUM_SLEEP", "LONG_SLEEP", "HUGE_SLEEP"):
    setattr(karbor_objects, name, POLL_SECONDS)

karbor_base._get_manila_client = mock.MagicMock


def endpoint(service_type: str) -> str:
    """Return a service's URL; openstacksdk's adapters do not ask without a connection any more."""
    given = dict(karbor_base._credentials())
    given["auth_url"] += "/v3"
    asked = session.Session(auth=identity.Password(**given))
    return str(asked.get_endpoint(service_type=service_type))


karbor_base._get_endpoint = endpoint


def without(tests: type, *names: str) -> Any:
    """Return a class of Karbor's tests without some of them."""
    return type(tests.__name__, (tests,), dict.fromkeys(names))
