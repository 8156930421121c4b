"""What kept a request from a service, and a service's words in one line."""

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from karbor_backup_core import BackendError, Transient
from karbor_backup_openstack.proxies import describe_proxy

if TYPE_CHECKING:
    from keystoneauth1.exceptions import ClientException
    from requests import Response

_TEXT_LIMIT: Final = 200

_REQUEST_ID: Final = re.compile(r"\s*\((?:HTTP \d+|Request-ID: [^)]*)\)")

_UNSPECIFIC_REFUSAL: Final = "the request you have made requires authentication"
"""Keystone's words where it is not to tell which of the credentials is wrong."""


def from_connection_error(error: "ClientException", where: str, timeout: float) -> BackendError:
    """Describe what kept a request from a service or from Keystone.

    Args:
        error: what keystoneauth raised.
        where: the service's URL.
        timeout: seconds that the request was given.
    """
    from keystoneauth1 import exceptions

    if isinstance(error, exceptions.ConnectTimeout):
        # keystoneauth says so of a read timeout too.
        return Transient(
            f"{where} did not answer within {timeout:g} s; the request may have arrived"
            f"{describe_proxy(error)}"
        )
    if isinstance(error, exceptions.SSLError):
        return BackendError(
            f"{where}: the TLS connection failed: {_root_cause(error)}{describe_proxy(error)}"
        )
    if isinstance(error, exceptions.ConnectionError):
        return Transient(f"{where} cannot be reached: {_root_cause(error)}{describe_proxy(error)}")
    if isinstance(error, exceptions.DiscoveryFailure | exceptions.HttpServerError):
        return Transient(
            f"Keystone does not answer as it should: {to_one_line(str(error))}"
            f"{describe_proxy(error)}"
        )
    # Older keystoneauth has no class of its own for it.
    if getattr(error, "http_status", None) == HTTPStatus.TOO_MANY_REQUESTS:
        return Transient("Keystone asks to send fewer requests")
    if isinstance(error, exceptions.Unauthorized | exceptions.Forbidden):
        return BackendError(f"Keystone refuses the credentials: {_refusal_message(error)}")
    if isinstance(error, exceptions.CatalogException):
        return BackendError(
            f"the catalog has no such service in this region: {to_one_line(str(error))}"
        )
    return BackendError(f"Keystone: {to_one_line(str(error))}")


def is_html(response: "Response") -> bool:
    """Whether an answer is a web page, which no API of OpenStack sends."""
    return "html" in response.headers.get("Content-Type", "")


def retry_after(response: "Response") -> float | None:
    """Seconds after which an answer asks to be asked again, None where it does not say."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        value = response.headers.get("Retry-After")
        return None if value is None else Retry().parse_retry_after(value)
    except (InvalidHeader, ValueError, OverflowError):
        # A number of more digits than Python reads, or a date beyond the calendar.
        return None


def to_one_line(text: str) -> str:
    """Return a service's words in one line of bounded length."""
    joined = " ".join(text.split()) or "no reason given"
    return joined if len(joined) <= _TEXT_LIMIT else f"{joined[:_TEXT_LIMIT]}…"


def _refusal_message(error: "ClientException") -> str:
    """Keystone's words for a refusal, and what to look at; the same words each time."""
    message = to_one_line(_REQUEST_ID.sub("", str(error))).rstrip(".")
    if message.lower() == _UNSPECIFIC_REFUSAL or message == "no reason given":
        return "check user, password, domain and project"
    return f"{message}: check user, password, domain and project"


def _root_cause(error: BaseException) -> str:
    """Return the system's words for what lies under a library's exception."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = getattr(cause, "reason", None) or cause.__cause__ or cause.__context__
        if not isinstance(cause, BaseException):
            break
    return "the connection failed"
