"""With whose credentials a backend reaches its service.

Karbor's own names are imported where they are used: they need a configured Karbor.
"""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

import attrs

from karbor_backup_core import BackendError
from karbor_glue import options
from karbor_glue._trusts import TrustEntry, TrustRegistry, create_trust, delete_trust, make_session

_log = logging.getLogger("karbor_backup.karbor.credentials")


class Credentials(Protocol):
    """Credentials that are made when a runner starts and given up when it has nothing left to do.

    Attributes:
        key: tells credentials apart, and tells nothing secret of them.
    """

    @property
    def key(self) -> str:
        """See the class."""

    def open(self, bank: Any, lifetime: timedelta) -> Mapping[str, Any]:
        """Make what the backend's class takes beside its configuration.

        Args:
            bank: Karbor's ``Bank``, for what another process has to know of the credentials.
            lifetime: how long they may be needed.

        Raises:
            BackendError: Keystone refuses, or is not there.
            StoreError: the bank cannot be used.
        """

    def notes(self) -> Mapping[str, Any]:
        """Return what another process needs for the same credentials: ids, no secrets."""

    def close(self, *, needed: bool) -> None:
        """Give the credentials up.

        Args:
            needed: whether an operation is left that another process will go on with.
        """


@attrs.frozen
class DefaultCredentials:
    """The backend finds its credentials by its configuration alone."""

    key: str = "own"

    def open(self, bank: Any, lifetime: timedelta) -> Mapping[str, Any]:
        """Give nothing."""
        return {}

    def notes(self) -> Mapping[str, Any]:
        """Note nothing."""
        return {}

    def close(self, *, needed: bool) -> None:
        """Do nothing."""


@attrs.frozen
class ConfiguredCredentials:
    """What the provider's file says, in keystoneauth's words (``auth_type``, ``auth_url``, ...).

    Attributes:
        conf: the provider's configuration.
    """

    conf: Any = attrs.field(repr=False)

    @property
    def key(self) -> str:
        """One provider, one account."""
        return f"configured:{id(self.conf)}"

    def open(self, bank: Any, lifetime: timedelta) -> Mapping[str, Any]:
        """Make a session of the configured account."""
        from keystoneauth1 import exceptions, loading

        group = options.FREEZER_GROUP
        try:
            auth = loading.load_auth_from_conf_options(self.conf, group)
            session = loading.load_session_from_conf_options(self.conf, group, auth=auth)
        except exceptions.ClientException as error:
            raise BackendError(f"the credentials in [{group}] cannot be used: {error}") from error
        return {"session": session}

    def notes(self) -> Mapping[str, Any]:
        """Note nothing: the file is there for another process too."""
        return {}

    def close(self, *, needed: bool) -> None:
        """Do nothing."""


@attrs.define
class UserCredentials:
    """Those of the user who asked, lent to Karbor by a trust.

    A token ends while a job runs, and nobody but the user could renew it; with a trust Karbor
    gets itself new ones. Karbor deletes no trust of ours, so it is deleted with the last operation.

    Attributes:
        context: Karbor's ``RequestContext``.
        conf: the provider's configuration, whose words for connections go before Karbor's.
        trust: the trust's id, once there is one.
    """

    context: Any = attrs.field(repr=False)
    conf: Any = attrs.field(default=None, repr=False)
    trust: str = attrs.field(default="", init=False)
    _registry: TrustRegistry | None = attrs.field(default=None, init=False)
    _entry: TrustEntry | None = attrs.field(default=None, init=False)

    @property
    def key(self) -> str:
        """One user in one project, with one way to connect."""
        who = f"{self.context.user_id}@{self.context.project_id}"
        return f"user:{who}:{_connection_words(self.conf)}"

    def open(self, bank: Any, lifetime: timedelta) -> Mapping[str, Any]:
        """Let the user trust Karbor, and make a session of that trust."""
        from karbor import exception
        from karbor.services.protection.client_factory import ClientFactory

        try:
            keystone = ClientFactory.get_keystone_plugin()
            try:
                self._registry = TrustRegistry(bank)
                self._entry = create_trust(self.context, self._registry, lifetime)
                self.trust = self._entry.trust
            except exception.AuthorizationFailure as error:
                # A scheduled operation comes with a trust of its own, which cannot be lent on.
                _log.warning("no trust from user %s: %s", self.context.user_id, error)
                auth = keystone.create_user_auth_plugin(self.context)
                return {"session": _configure_session(self.conf, make_session(auth))}
            session = keystone.create_trust_session(self.trust)
            return {"session": _configure_session(self.conf, session)}
        except exception.KarborException as error:
            raise BackendError(f"Keystone gives Karbor no access: {error}") from error

    def notes(self) -> Mapping[str, Any]:
        """Note the trust."""
        return {"trust": self.trust} if self.trust else {}

    def close(self, *, needed: bool) -> None:
        """Delete the trust, unless an operation still needs it."""
        if self._entry and self._registry and not needed and delete_trust(self.trust):
            self._registry.remove(self._entry.name)


@attrs.frozen
class TrustCredentials:
    """A trust that a process which is gone has left.

    Attributes:
        trust: its id.
        conf: the provider's configuration, as for ``UserCredentials``.
    """

    trust: str
    conf: Any = attrs.field(default=None, repr=False)

    @property
    def key(self) -> str:
        """One trust, with one way to connect."""
        return f"trust:{self.trust}:{_connection_words(self.conf)}"

    def open(self, bank: Any, lifetime: timedelta) -> Mapping[str, Any]:
        """Make a session of the trust."""
        from karbor import exception
        from karbor.services.protection.client_factory import ClientFactory

        try:
            keystone = ClientFactory.get_keystone_plugin()
            session = keystone.create_trust_session(self.trust)
            return {"session": _configure_session(self.conf, session)}
        except exception.KarborException as error:
            raise BackendError(f"Keystone gives Karbor no access: {error}") from error

    def notes(self) -> Mapping[str, Any]:
        """Note the trust."""
        return {"trust": self.trust}

    def close(self, *, needed: bool) -> None:
        """Leave the trust: operations of another checkpoint may need it."""


def choose_freezer_credentials(conf: Any, context: Any) -> Credentials:
    """Choose the credentials for Freezer.

    What the provider's file says goes first; then the user's, where Keystone is on; then what
    openstacksdk finds in ``clouds.yaml`` and ``OS_*``.
    """
    group = options.register_freezer(conf)
    if group.auth_type:
        return ConfiguredCredentials(conf)
    if group.cloud or not getattr(context, "auth_token_info", None):
        return DefaultCredentials()
    return UserCredentials(context, conf)


def choose_cloud_credentials(configuration: Mapping[str, Any], context: Any) -> Credentials:
    """Choose the credentials for a backend that reaches a cloud's services itself.

    The cloud that the configuration names goes first; then the user's own credentials, where
    Keystone is on; then what openstacksdk finds in ``OS_*``.

    Args:
        configuration: the backend's.
        context: Karbor's ``RequestContext``.
    """
    if configuration.get("cloud") or not getattr(context, "auth_token_info", None):
        return DefaultCredentials()
    return UserCredentials(context)


def _connection_words(conf: Any) -> str:
    """Return what the provider's file says of its connections; paths and numbers, no secrets."""
    if conf is None:
        return ""
    group = options.register_freezer(conf)
    words = ("timeout", "insecure", "cafile", "certfile", "keyfile")
    return json.dumps({word: group[word] for word in words})


def _configure_session(conf: Any, session: Any) -> Any:
    """Return a session with what the provider's file says of its connections."""
    if conf is None:
        return session
    group = options.register_freezer(conf)
    session.timeout = float(group.timeout)
    if group.insecure:
        session.verify = False
    elif group.cafile:
        session.verify = group.cafile
    if group.certfile:
        session.cert = (group.certfile, group.keyfile) if group.keyfile else group.certfile
    return session
