"""Trusts that users of Karbor give it, so that work outlives their tokens.

A process may die between any two steps, so a trust is announced in the bank before Keystone hears
of it, and expires by itself. Its second of expiry, chosen by chance, is what tells it from every
other trust that the same user has given, until its id has been noted: Keystone takes no other mark,
and keeps no fraction of a second.

Karbor's own names are imported where they are used: they need a configured Karbor.
"""

import logging
import secrets
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, system_clock
from karbor_glue._bank_objects import list_names, read_object, remove_object, write_object

_log = logging.getLogger("karbor_backup.karbor.trusts")

_SECTION: Final = "/karbor-backup/trusts"
_TRUSTS: Final = "the trusts"

MARGIN: Final = timedelta(days=1)
"""How much longer, at least, a trust lasts than the work that it is for: time to recover in.

It lasts up to as much again, by which trusts are told apart.
"""


@attrs.frozen
class TrustEntry:
    """What the bank keeps of a trust.

    Attributes:
        name: the name of the object in the bank.
        user: the id of the user who gives it.
        project: the id of the project that it is for.
        expires_at: the instant of its expiry, as Keystone writes it.
        trust: its id; empty as long as it is only announced.
    """

    name: str
    user: str
    project: str
    expires_at: str
    trust: str = ""


@attrs.frozen
class TrustRegistry:
    """The notes on trusts in a bank.

    Every method raises ``StoreError`` when the bank cannot be used.

    Attributes:
        bank: Karbor's ``Bank``.
    """

    bank: Any = attrs.field(eq=False, repr=False)

    def write(self, note: TrustEntry) -> None:
        """Write a note, over the one of the same name."""
        write_object(self._bank_section(), note.name, attrs.asdict(note), _TRUSTS)

    def remove(self, name: str) -> None:
        """Remove a note."""
        remove_object(self._bank_section(), name, _TRUSTS)

    def read_all(self) -> Iterator[TrustEntry]:
        """Yield all notes; one that a crash cut short is removed, as nothing came after it."""
        for name in list_names(self._bank_section(), _TRUSTS):
            value = read_object(self._bank_section(), name, _TRUSTS)
            if isinstance(value, Mapping):
                yield TrustEntry(**value)
            elif value is not None:
                self.remove(name)

    def _bank_section(self) -> Any:
        return self.bank.get_sub_section(_SECTION)


def create_trust(context: Any, notes: TrustRegistry, lifetime: timedelta) -> TrustEntry:
    """Let the user of a request trust Karbor.

    Args:
        context: Karbor's ``RequestContext``, with the user's token.
        notes: where the trust is announced first.
        lifetime: how long the work may take.

    Raises:
        AuthorizationFailure: Keystone gives none, as to who has come by a trust.
        BackendError: Keystone cannot be asked.
        StoreError: the trust could not be announced; there is none.
    """
    from karbor import exception
    from keystoneauth1 import exceptions

    chance = timedelta(seconds=secrets.randbelow(int(MARGIN.total_seconds())))
    expiry = system_clock() + lifetime + MARGIN + chance
    note = TrustEntry(
        str(uuid.uuid4()), context.user_id, context.project_id, _format_expiry(expiry)
    )
    notes.write(note)
    try:
        created = attrs.evolve(note, trust=_request_trust(context, note))
    except exceptions.ClientException as error:
        if not isinstance(error, exceptions.ConnectFailure | exceptions.ConnectTimeout):
            notes.remove(note.name)  # Keystone has answered: it has made none
        raise exception.AuthorizationFailure(obj=str(error)) from error
    notes.write(created)
    return created


def delete_trust(trust: str) -> bool:
    """Delete a trust; return whether it is gone, and log why it is not.

    The work that it was for is done, so that nothing else depends on it.
    """
    from karbor.services.protection.client_factory import ClientFactory
    from keystoneauth1 import exceptions

    try:
        ClientFactory.get_keystone_plugin().delete_trust_to_karbor(trust)
    except (exceptions.NotFound, exceptions.Unauthorized):
        return True  # it has expired, or is deleted already: nobody gets a token by it any more
    except Exception:  # noqa: BLE001 - whatever Keystone or Karbor raise
        _log.exception("trust %s could not be deleted: it expires by itself", trust)
        return False
    return True


def delete_abandoned_trusts(notes: TrustRegistry, needed: Collection[str]) -> list[str]:
    """Delete the trusts that no operation needs any more.

    Args:
        notes: those of a bank that no process uses now.
        needed: the ids of trusts that kept operations go on with.

    Returns:
        What could not be deleted, a line each.
    """
    problems = []
    noted = list(notes.read_all())
    known = {note.trust for note in noted if note.trust}
    for note in noted:
        found = [note.trust] if note.trust else sorted(set(_find_created_trusts(note)) - known)
        if set(found) & set(needed):
            continue
        left = [each for each in found if not delete_trust(each)]
        if left:
            problems.append(f"trust {', '.join(left)} of user {note.user} could not be deleted")
        else:
            notes.remove(note.name)
    return problems


def _request_trust(context: Any, note: TrustEntry) -> str:
    """Create the trust that a note announces; return its id."""
    from karbor.services.protection.client_factory import ClientFactory

    keystone = ClientFactory.get_keystone_plugin()
    # Karbor's own call (create_trust_to_karbor) can give a trust no expiry.
    trust = {
        "trustor_user_id": note.user,
        "trustee_user_id": keystone.karbor_user_id,
        "project_id": note.project,
        "impersonation": True,
        "expires_at": note.expires_at,
        "roles": [{"name": name} for name in context.roles],
    }
    session = make_session(keystone.create_user_auth_plugin(context))
    answer = session.post(f"{_trusts_url(keystone)}", json={"trust": trust}, log=False)
    return str(answer.json()["trust"]["id"])


def _find_created_trusts(note: TrustEntry) -> list[str]:
    """Find the trust that was announced, if it has been made: by its expiry.

    Raises:
        BackendError: Keystone cannot be asked.
    """
    from karbor.services.protection.client_factory import ClientFactory
    from keystoneauth1 import exceptions

    keystone = ClientFactory.get_keystone_plugin()
    session = make_session(keystone.service_auth_plugin)
    try:
        query = {"trustee_user_id": session.get_user_id()}
        listed = session.get(_trusts_url(keystone), params=query, log=False).json()["trusts"]
    except exceptions.ClientException as error:
        raise BackendError(f"Keystone does not list the trusts: {error}") from error
    return [
        each["id"]
        for each in listed
        if (each["trustor_user_id"], each["project_id"], each["expires_at"])
        == (note.user, note.project, note.expires_at)
    ]


def make_session(auth: Any) -> Any:
    """Create a session with what Karbor's configuration says of Keystone's certificate."""
    from keystoneauth1 import session
    from oslo_config import cfg

    known = cfg.CONF.keystone_authtoken
    return session.Session(auth=auth, verify=False if known.insecure else known.cafile or True)


def _trusts_url(keystone: Any) -> str:
    return f"{keystone.auth_uri.rstrip('/')}/OS-TRUST/trusts"


def _format_expiry(instant: datetime) -> str:
    """Write an instant as Keystone lists it, without a fraction of a second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
