"""A session whose requests are not logged."""

from typing import Any, Self

from keystoneauth1.session import Session
from requests import Response


class QuietSession(Session):
    """A keystoneauth session that never logs a request or an answer.

    At level DEBUG keystoneauth logs bodies as they are; Nova's answer to the making of a server
    holds the administrator's password.
    """

    @classmethod
    def like(cls, session: Session, timeout: float) -> Self:
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
        """Send a request; arguments and errors are those of keystoneauth."""
        return super().request(*args, **{**kwargs, "log": False})
