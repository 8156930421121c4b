"""Which proxy of the environment a request was sent through, for the message of its failure."""

import os
import re
from typing import Final
from urllib.parse import urlsplit

_URL: Final = re.compile(r"https?://[^\s'\"<>]+")


def describe_proxy(error: BaseException) -> str:
    """Return words on the proxy that stood before a failed request, empty where none did.

    They name the variable, the proxy's host and its port, never the user and password in its URL.

    Args:
        error: what the request raised; the request's URL is taken from it or from what caused it.
    """
    from requests.utils import get_environ_proxies, select_proxy

    url = _request_url(error)
    proxy = select_proxy(url, get_environ_proxies(url)) if url else None
    if not proxy:
        return ""
    variable = _proxy_variable(urlsplit(url).scheme)
    return (
        f" (through the proxy {_proxy_address(proxy)} of the environment variable {variable}; "
        "name hosts that need no proxy in no_proxy)"
    )


def _request_url(error: BaseException) -> str:
    """Return the URL that a request went to, empty if nothing in the chain of causes tells it."""
    cause: BaseException | None = error
    while cause is not None:
        url = getattr(getattr(cause, "request", None), "url", None)
        if isinstance(url, str):
            return url
        if found := _URL.search(str(cause)):
            return found.group().rstrip(".,:;)")
        cause = cause.__cause__ or cause.__context__
    return ""


def _proxy_address(proxy: str) -> str:
    """Return a proxy's host and port, without what the URL says of a user."""
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(its URL cannot be read)"
    return f"{parts.hostname}{port}" if parts.hostname else "(its URL has no host)"


def _proxy_variable(scheme: str) -> str:
    """Return the variable that names the proxy: of the scheme before all, lower case first."""
    names = (f"{scheme}_proxy", "all_proxy")
    candidates = [spelling for name in names for spelling in (name, name.upper())]
    return next((name for name in candidates if os.environ.get(name)), names[0])
