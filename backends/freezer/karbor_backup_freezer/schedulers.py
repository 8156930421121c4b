"""Which of Freezer's schedulers runs a job."""

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from karbor_backup_core import InvalidInput
from karbor_backup_freezer.client import FreezerClient

Actions: TypeAlias = Sequence[Mapping[str, Any]]
"""The actions of one job, as the agent is told them."""

REMEMBERED: Final = 30.0
"""Seconds for which the list of schedulers is not asked for again."""

_CAPABILITIES: Final = {
    "action": "supported_actions",
    "mode": "supported_modes",
    "storage": "supported_storages",
    "engine_name": "supported_engines",
}
"""An action's fields that name a capability, and where a scheduler declares it."""


@attrs.frozen
class Scheduler:
    """A scheduler that has registered with the API.

    Attributes:
        client_id: its id in jobs.
        hostname: the host that it runs on, and its agents.
        capabilities: what it offers, by field of an action; a field that is missing is open.
    """

    client_id: str
    hostname: str
    capabilities: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Scheduler":
        """Read an entry of the API's list of clients."""
        client = document.get("client") or {}
        return cls(
            client_id=client.get("client_id") or "",
            hostname=client.get("hostname") or "",
            capabilities={
                field: frozenset(client[key])
                for field, key in _CAPABILITIES.items()
                if client.get(key) is not None
            },
        )

    def can(self, actions: Actions) -> bool:
        """Whether it declares all that the actions of a job ask for."""
        return all(
            action[field] in offered
            for action in actions
            for field, offered in self.capabilities.items()
            if action.get(field)
        )

    def __str__(self) -> str:
        offers = "; ".join(
            f"{field} {', '.join(sorted(offered)) or 'none'}"
            for field, offered in self.capabilities.items()
        )
        return f"{self.client_id} on {self.hostname or 'an unnamed host'} offers {offers}"


class Schedulers:
    """Freezer's schedulers, asked for at most once in ``REMEMBERED`` seconds, used in turn.

    Args:
        client: Freezer.
    """

    def __init__(self, client: FreezerClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._turn = itertools.count()
        self._known: Sequence[Scheduler] = ()
        self._known_until = 0.0

    def all(self) -> Sequence[Scheduler]:
        """All schedulers of the project, by client id."""
        with self._lock:
            if time.monotonic() >= self._known_until:
                found = (Scheduler.read(document) for document in self._client.all("clients"))
                self._known = sorted(
                    {s.client_id: s for s in found}.values(), key=lambda s: s.client_id
                )
                self._known_until = time.monotonic() + REMEMBERED
            return self._known

    def forget(self) -> None:
        """Ask for the list anew the next time."""
        with self._lock:
            self._known_until = 0.0

    def named(self, client_id: str, actions: Actions) -> Scheduler:
        """Answer the scheduler of that client id.

        Raises:
            InvalidInput: there is none, or it does not offer what the actions ask for.
        """
        known = self.all()
        scheduler = next((s for s in known if s.client_id == client_id), None)
        if scheduler is None:
            raise InvalidInput(
                f"scheduler {client_id!r} is not registered with Freezer (registered: "
                f"{', '.join(s.client_id for s in known) or 'none'})"
            )
        if not scheduler.can(actions):
            raise InvalidInput(f"asked for {_asked(actions)}; scheduler {scheduler}")
        return scheduler

    def able(self, actions: Actions) -> Sequence[Scheduler]:
        """Answer all schedulers that offer what the actions ask for, at least one.

        Raises:
            InvalidInput: none does; the message says what was asked and what each one offers.
        """
        known = self.all()
        able = [scheduler for scheduler in known if scheduler.can(actions)]
        if not able:
            offers = " | ".join(str(scheduler) for scheduler in known) or "none is registered"
            raise InvalidInput(f"no scheduler fits: asked for {_asked(actions)}; {offers}")
        return able

    def next_of(self, candidates: Sequence[Scheduler]) -> Scheduler:
        """Answer the candidate whose turn it is."""
        return candidates[next(self._turn) % len(candidates)]


def _asked(actions: Actions) -> str:
    wanted = (
        f"{field} {action[field]}"
        for field in _CAPABILITIES
        for action in actions
        if action.get(field)
    )
    return ", ".join(dict.fromkeys(wanted))
