"""What is wrong with an answer of Freezer, in one line, and whether a repeat may help."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from karbor_backup_core import BackendError, Transient
from karbor_backup_openstack.http_errors import is_html, retry_after, to_one_line

if TYPE_CHECKING:
    from freezerclient.exceptions import ApiClientException
    from requests import Response

_TRANSIENT_STATUSES: Final = frozenset(
    {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses that may pass.

404 and 409 are among them: where they mean something to Freezer the client takes them as answers
(an unknown job, an id that exists), and elsewhere Freezer 19.0.0 never gives them, so that they
come from something in between. 500 is Freezer's answer to "database is locked".
"""


def from_response(error: "ApiClientException", response: "Response", what: str) -> BackendError:
    """Describe what is wrong with an answer of Freezer.

    Args:
        error: freezerclient's reading of the answer.
        response: the answer.
        what: the request in words, such as "POST jobs".
    """
    status = response.status_code
    if target := response.headers.get("Location") if response.is_redirect else None:
        return BackendError(
            f"{to_one_line(str(response.request.url))} answered {what} with status {status}, which "
            f"leads to {to_one_line(target)}: name the URL of Freezer's API there as endpoint"
        )
    if status in _TRANSIENT_STATUSES:
        return Transient(f"{_response_message(error, response, what)}", retry_after(response))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return BackendError(
            f"{_response_message(error, response, what)}: check the credentials and roles"
        )
    return BackendError(_response_message(error, response, what))


def _response_message(error: "ApiClientException", response: "Response", what: str) -> str:
    if is_html(response):
        return (
            f"{response.request.url} answered {what} with status {response.status_code} and a web "
            "page: is this Freezer's API?"
        )
    text = str(error).removeprefix(f"[*] Error {response.status_code}: ")
    return f"Freezer answered {what} with status {response.status_code}: {to_one_line(text)}"
