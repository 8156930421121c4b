"""Whom a token is for, as Keystone says it."""

from http import HTTPStatus
from typing import Final

import attrs
import requests
from werkzeug.exceptions import Unauthorized

_TIMEOUT: Final = 20.0


@attrs.frozen
class TokenScope:
    """What a token lets its owner see.

    Attributes:
        project: the id of the project that it is for.
        sees_all: whether its owner is an administrator.
    """

    project: str
    sees_all: bool


@attrs.define
class TokenCache:
    """Asks Keystone once for each token: tokens of a run that takes minutes do not expire.

    Attributes:
        auth_url: Keystone's.
    """

    auth_url: str
    _known: dict[str, TokenScope] = attrs.field(factory=dict, init=False, repr=False)

    def access(self, token: str) -> TokenScope:
        """Return what a token lets its owner see.

        Raises:
            Unauthorized: Keystone does not know it, or it is for no project.
        """
        if token not in self._known:
            self._known[token] = self._fetch(token)
        return self._known[token]

    def _fetch(self, token: str) -> TokenScope:
        with requests.Session() as connections:
            connections.trust_env = False  # no proxy stands before loopback
            answer = connections.get(
                f"{self.auth_url}/auth/tokens",
                # Everybody may ask for a token of their own.
                headers={"X-Auth-Token": token, "X-Subject-Token": token},
                timeout=_TIMEOUT,
            )
        if answer.status_code != HTTPStatus.OK:
            raise Unauthorized("The request you have made requires authentication.")
        token_document = answer.json()["token"]
        if "project" not in token_document:
            raise Unauthorized("The token is for no project.")
        roles = {role["name"] for role in token_document["roles"]}
        return TokenScope(token_document["project"]["id"], sees_all="admin" in roles)
