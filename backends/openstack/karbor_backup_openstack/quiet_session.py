"""A session whose requests are not logged, and that says where a service sends them elsewhere."""

from typing import Any, Self

from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from requests import Response

from karbor_backup_openstack import http_errors


class Redirected(ClientException):
    """A service has sent a request elsewhere, and there is no such service."""


class QuietSession(Session):
    """A keystoneauth session that never logs a request or an answer.

    At level DEBUG keystoneauth logs bodies as they are; Nova's answer to the making of a server
    holds the administrator's password.
    """

    @classmethod
    def from_session(cls, session: Session, timeout: float) -> Self:
        """Make one with the credentials, connections and TLS settings of another session.

        Args:
            session: the other one.
            timeout: seconds that a request may take, where the other session has no limit.
        """
        return cls(
            auth=session.auth,
            session=session.session,
            verify=session.verify,
            cert=session.cert,
            timeout=session.timeout or timeout,
            redirect=session.redirect,
            additional_headers=session.additional_headers,
            app_name=session.app_name,
            app_version=session.app_version,
        )

    def request(self, *args: Any, **kwargs: Any) -> Response:
        """Send a request; arguments are those of keystoneauth, which follows redirections.

        Raises:
            Redirected: what they lead to answers with a web page, or leads on for ever.
            ClientException: as keystoneauth says.
        """
        response = super().request(*args, **{**kwargs, "log": False})
        target = response.headers.get("Location") if response.is_redirect else None
        if target or (response.history and http_errors.is_html(response)):
            first = response.history[0] if response.history else response
            raise Redirected(
                f"{http_errors.to_one_line(str(first.request.url))} answered with status "
                f"{first.status_code}, which leads to "
                f"{http_errors.to_one_line(str(target or response.request.url))}: name the URL "
                "of the service there, as its endpoint_override or in Keystone's catalog"
            )
        return response
