"""What can go wrong between a client and a server, as a plan for `tests.support.fault_proxy`."""

import json
import re
from http import HTTPStatus

import attrs


@attrs.frozen
class HttpResponse:
    """What a client gets to read.

    Attributes:
        status: the HTTP status.
        headers: without Content-Length, which the proxy adds.
        body: as sent.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@attrs.frozen
class HttpFault:
    """What happens to a request.

    Attributes:
        name: for people who read a failed test.
        delivered: whether the server gets the request all the same, and does what it asks for.
        answer: what the client gets; None for nothing.
        hangs: whether the client, without an answer, is left waiting instead of cut off.
    """

    name: str
    delivered: bool = False
    answer: HttpResponse | None = None
    hangs: bool = False


def error_response(
    code: int, *, retry_after: int | None = None, delivered: bool = False
) -> HttpFault:
    """Respond with an error as the Freezer API words it.

    Args:
        code: the HTTP status.
        retry_after: seconds for a Retry-After header; no header unless given.
        delivered: whether the server gets the request before.
    """
    title = f"{code} {HTTPStatus(code).phrase}"
    body = json.dumps({"title": title, "description": "answered by the fault proxy"})
    headers = [("Content-Type", "application/json")]
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return HttpFault(
        name=f"status {code}",
        delivered=delivered,
        answer=HttpResponse(code, tuple(headers), body.encode()),
    )


def html_page(code: int = HTTPStatus.OK) -> HttpFault:
    """Return with a page, as something that is no API does: a portal, a balancer, a wrong port."""
    page = b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>"
    answer = HttpResponse(code, (("Content-Type", "text/html; charset=utf-8"),), page)
    return HttpFault(name=f"HTML with status {code}", answer=answer)


def no_response(*, delivered: bool = False) -> HttpFault:
    """Give no answer and keep the connection, until the client gives up or the proxy is closed."""
    return HttpFault(name="hang", delivered=delivered, hangs=True)


def disconnect() -> HttpFault:
    """Close the connection without passing the request on."""
    return HttpFault(name="disconnect")


def lost_reply() -> HttpFault:
    """Pass the request on, then close the connection instead of passing the reply back."""
    return HttpFault(name="lost reply", delivered=True)


@attrs.define
class FaultRule:
    """Which requests a fault is meant for, and how often it has struck.

    Attributes:
        fault: what happens.
        at: it strikes from the at-th matching request on, counted from 1.
        times: at so many matching requests in a row; None for all that follow.
        method: only requests whose whole method this regular expression matches, if given.
        path: only requests in whose path this regular expression is found match, if given.
        matched: how many requests have matched.
        fired: how often it has struck.
    """

    fault: HttpFault
    at: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    times: int | None = 1
    method: str | None = None
    path: str | None = None
    matched: int = attrs.field(default=0, init=False)
    fired: int = attrs.field(default=0, init=False)

    def matches(self, method: str, path: str) -> bool:
        """Count a request, and return whether the fault is meant for it."""
        if not re.fullmatch(self.method or ".*", method) or not re.search(self.path or "", path):
            return False
        self.matched += 1
        return self.matched >= self.at and (
            self.times is None or self.matched < self.at + self.times
        )
