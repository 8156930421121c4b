"""A job of Freezer: its document, and what a document says of how it stands."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from karbor_backup_core import printable
from karbor_backup_freezer.agent.action_validation import validate_action
from karbor_backup_freezer.agent.escaping import COLUMN_LIMIT


class JobState(enum.Enum):
    """How a job stands, as far as its document tells."""

    WAITING = "waiting"
    """No scheduler has taken it up yet, or it waits there for its turn."""
    RUNNING = "running"
    HALTED = "halted"
    """It was to be stopped before a scheduler took it up, and none has since."""
    STOPPED = "stopped"
    """Its scheduler has taken it off the list.

    It may run all the same, if it was waiting for a free worker (``concurrent_jobs``).
    """
    SUCCEEDED = "succeeded"
    FAILED = "failed"


ACTIVE_STATES: Final = frozenset({JobState.WAITING, JobState.RUNNING})
"""Stages of a job of which nothing more can be said."""

ENDED_STATES: Final = frozenset({JobState.STOPPED, JobState.SUCCEEDED, JobState.FAILED})
"""Stages after which the job's scheduler does nothing more with it, but see ``STOPPED``."""

COMPLETED_STATES: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED})
"""Stages after the agent has run to its end."""

STOP_GRACE: Final = 10.0
"""Seconds after which a stop that no scheduler has answered will not cross with a start.

A scheduler that had read the job before the stop was written would have written over it by then.
"""


@attrs.frozen
class Action:
    """One action of a job.

    Attributes:
        id: Freezer's id of it.
        fields: what the agent was told; may hold secrets.
    """

    id: str
    fields: Mapping[str, Any] = attrs.field(repr=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Action":
        """Read a document of the API."""
        return cls(document["action_id"], document.get("freezer_action") or {})


@attrs.frozen
class Job:
    """What Freezer says of a job.

    Attributes:
        id: its id.
        client: the client id of the scheduler that is to run it.
        state: its state.
        result: Freezer's own word for its result, empty before the end.
        actions: its actions.
        taken: whether a scheduler was seen to have taken it up.
        created_at: when Freezer created it, in seconds since 1970 by Freezer's clock; 0 where that
            is not known.
    """

    id: str
    client: str
    state: JobState
    result: str
    actions: Sequence[Action]
    picked_up: bool = False
    created_at: float = 0.0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Job":
        """Read a document of the API; any key of the schedule may be missing."""
        schedule = document.get("job_schedule") or {}
        return cls(
            id=document["job_id"],
            client=document.get("client_id") or "",
            state=_parse_state(schedule),
            result=schedule.get("result") or "",
            actions=tuple(
                Action.from_document(action)
                for action in document.get("job_actions") or ()
                if action.get("action_id")
            ),
            picked_up=bool(schedule.get("status")),
            created_at=float(schedule.get("time_created") or 0),
        )

    @classmethod
    def unseen(cls, job_id: str, client: str, actions: Sequence[Action] = ()) -> "Job":
        """Return a job that is known to be there, and that itself was not seen yet."""
        return cls(job_id, client, JobState.WAITING, result="", actions=tuple(actions))

    def get_field(self, name: str) -> str:
        """Return a field of the first action that names it, empty where none does."""
        return next((str(a.fields[name]) for a in self.actions if a.fields.get(name)), "")


def _parse_state(schedule: Mapping[str, Any]) -> JobState:
    status = schedule.get("status") or ""
    result = schedule.get("result") or ""
    if status in ("completed", "stop", "removed"):
        # A stop that crosses the end of the work leaves "stop" with the work's result.
        if result == "success":
            return JobState.SUCCEEDED
        return JobState.FAILED if result or status == "completed" else JobState.STOPPED
    if status in ("running", "aborting"):
        return JobState.RUNNING
    if status == "" and schedule.get("event") == "stop":
        return JobState.HALTED
    return JobState.WAITING


def job_document(
    job_id: str, client_id: str, description: str, actions: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the document that creates a job and starts it at once; every job is made here.

    Args:
        job_id: its id; sent in the body, so that a repeat cannot replace the job.
        client_id: the scheduler that is to run it.
        description: for people; cut to what Freezer keeps.
        actions: what the agent is to do, one after the other; freezer-scheduler 19.0.0 skips what
            comes after one that failed. Each is tried once, since a second try would write beside
            what the first one left.

    Raises:
        InvalidInput: an action holds what the agent would read as something else.
    """
    return {
        "job_id": job_id,
        "client_id": client_id,
        "description": printable(description)[:COLUMN_LIMIT],
        "job_schedule": {"event": "start", "status": "", "result": ""},
        "job_actions": [
            {"freezer_action": validate_action(action), "max_retries": 0, "max_retries_interval": 1}
            for action in actions
        ],
    }


def placeholder_document(job_id: str, client_id: str) -> dict[str, Any]:
    """Return the document of a job that does nothing, and that no scheduler takes up.

    Args:
        job_id: its id.
        client_id: any registered scheduler; Freezer takes no job without one.
    """
    return {
        "job_id": job_id,
        "client_id": client_id,
        "description": "karbor-backup keeps this id from being used",
        "job_schedule": {"event": "", "status": "completed", "result": "aborted"},
        "job_actions": [],
    }
