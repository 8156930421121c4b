"""Which of Freezer's schedulers runs a job."""

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from karbor_backup_core import InvalidInput, suggest_name
from karbor_backup_freezer.api.client import FreezerClient
from karbor_backup_freezer.api.jobs import ACTIVE_STATES, Job, JobState

Actions: TypeAlias = Sequence[Mapping[str, Any]]
"""The actions of one job, as the agent is told them."""

CACHE_SECONDS: Final = 30.0
"""Seconds for which the list of schedulers, and of their jobs, is not asked for again."""

PICKUP_TIMEOUT: Final = 180.0
"""Seconds after which a scheduler is called silent that has not taken up a job.

Schedulers ask for jobs every 60 s unless they are told otherwise (freezer 19.0.0, ``interval``).
The API tells nothing else of whether they live: a record of a client has no time.
"""

_JOBS_SAMPLED: Final = 200
"""Jobs that are looked at to tell how busy the schedulers are; one costs Freezer up to 7 ms."""

_CAPABILITY_FIELDS: Final = {
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
    def from_document(cls, document: Mapping[str, Any]) -> "Scheduler":
        """Read an entry of the API's list of clients."""
        client = document.get("client") or {}
        return cls(
            client_id=client.get("client_id") or "",
            hostname=client.get("hostname") or "",
            capabilities={
                field: frozenset(client[key])
                for field, key in _CAPABILITY_FIELDS.items()
                if client.get(key) is not None
            },
        )

    def supports(self, actions: Actions) -> bool:
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


@attrs.define
class SchedulerLoad:
    """What the jobs of one scheduler tell of it.

    Attributes:
        jobs: how many have not ended.
        silent_since: when the oldest job was created that it should have taken up and has not, in
            seconds since 1970; 0 where there is none.
    """

    jobs: int = 0
    silent_since: float = 0.0

    def add_job(self, job: Job, now: float) -> None:
        """Count a job."""
        if job.state not in ACTIVE_STATES:
            return
        self.jobs += 1
        waits = job.state is JobState.WAITING and not job.picked_up and job.created_at
        if waits and job.created_at <= now - PICKUP_TIMEOUT:
            self.silent_since = min(self.silent_since or job.created_at, job.created_at)


class SchedulerRegistry:
    """Freezer's schedulers, asked for at most once in ``CACHE_SECONDS`` seconds.

    Args:
        client: Freezer.
    """

    def __init__(self, client: FreezerClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._loads: dict[str, SchedulerLoad] = {}
        self._loads_until = 0.0
        self._known: Sequence[Scheduler] = ()
        self._known_until = 0.0

    def list_all(self) -> Sequence[Scheduler]:
        """All schedulers of the project, by client id."""
        with self._lock:
            if time.monotonic() >= self._known_until:
                found = (
                    Scheduler.from_document(document)
                    for document in self._client.iter_entries("clients")
                )
                self._known = sorted(
                    {s.client_id: s for s in found}.values(), key=lambda s: s.client_id
                )
                self._known_until = time.monotonic() + CACHE_SECONDS
            return self._known

    def invalidate(self) -> None:
        """Ask for the list anew the next time."""
        with self._lock:
            self._known_until = self._loads_until = 0.0

    def get_loads(self) -> Mapping[str, SchedulerLoad]:
        """Return what the jobs tell of the schedulers, by client id; one without jobs is missing.

        Only the first jobs of the list are looked at.
        """
        with self._lock:
            if time.monotonic() >= self._loads_until:
                found: dict[str, SchedulerLoad] = {}
                for document in self._client.get_page("jobs", limit=_JOBS_SAMPLED):
                    job = Job.from_document(document)
                    found.setdefault(job.client, SchedulerLoad()).add_job(job, time.time())
                self._loads = found
                self._loads_until = time.monotonic() + CACHE_SECONDS
            return self._loads

    def get_named(self, client_id: str, actions: Actions) -> Scheduler:
        """Return the scheduler of that client id.

        Raises:
            InvalidInput: there is none, or it does not offer what the actions ask for.
        """
        known = self.list_all()
        scheduler = next((s for s in known if s.client_id == client_id), None)
        if scheduler is None:
            names = [s.client_id for s in known]
            raise InvalidInput(
                f"scheduler {client_id!r} is not registered with Freezer: "
                f"{suggest_name(client_id, names)}there are: {', '.join(names) or 'none'}"
            )
        if not scheduler.supports(actions):
            raise InvalidInput(
                f"asked for {_describe_requirements(actions)}; scheduler {scheduler}"
            )
        return scheduler

    def require_capable(self, actions: Actions) -> Sequence[Scheduler]:
        """Return all schedulers that offer what the actions ask for, at least one.

        Raises:
            InvalidInput: none does; the message says what was asked and what each one offers.
        """
        able = self.find_capable(actions)
        if not able:
            offers = (
                " | ".join(str(scheduler) for scheduler in self.list_all()) or "none is registered"
            )
            raise InvalidInput(
                f"no scheduler fits: asked for {_describe_requirements(actions)}; {offers}"
            )
        return able

    def find_capable(self, actions: Actions) -> Sequence[Scheduler]:
        """Return all schedulers that offer what the actions ask for."""
        return [scheduler for scheduler in self.list_all() if scheduler.supports(actions)]

    def choose(self, candidates: Sequence[Scheduler], operation_id: str) -> Scheduler:
        """Choose the candidate that runs the job of an operation.

        One that is not silent goes before one that is, and one with fewer jobs before a busier
        one. Among equals the operation's id decides, so that processes that know nothing of each
        other spread their jobs.
        """
        if len(candidates) == 1:
            return candidates[0]
        loads = self.get_loads()

        def rank(scheduler: Scheduler) -> tuple[bool, int, str]:
            load = loads.get(scheduler.client_id, SchedulerLoad())
            return (
                bool(load.silent_since),
                load.jobs,
                _tie_breaker(operation_id, scheduler.client_id),
            )

        chosen = min(candidates, key=rank)
        with self._lock:
            self._loads.setdefault(chosen.client_id, SchedulerLoad()).jobs += 1
        return chosen


def _tie_breaker(operation_id: str, client_id: str) -> str:
    """Draw a lot for a scheduler, always the same for one operation."""
    return hashlib.sha256(f"{operation_id}/{client_id}".encode()).hexdigest()


def _describe_requirements(actions: Actions) -> str:
    wanted = (
        f"{field} {action[field]}"
        for field in _CAPABILITY_FIELDS
        for action in actions
        if action.get(field)
    )
    return ", ".join(dict.fromkeys(wanted))
