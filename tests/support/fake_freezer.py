"""Freezer's API v2 in memory, behind the protocol by which the backend asks the real one.

It does what freezer-api 19.0.0 does: ``tests/support/tests/test_fake_freezer.py`` makes the same
calls to both. No scheduler runs here: a test writes with `FakeFreezer.set_schedule` and
`FakeFreezer.add_record` what one would write::

    freezer = FakeFreezer("one")
    freezer.create_job({"job_id": "a", "client_id": "one", "job_actions": []})
    freezer.set_schedule("a", status="completed", result="success")
    assert freezer.requests == ["POST jobs"]
"""

import copy
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.api.client import Document, FreezerClient

CAPABILITIES: Final[Mapping[str, Sequence[str]]] = {
    "supported_actions": ["backup", "restore", "admin"],
    "supported_modes": ["fs", "nova", "cinder", "cindernative", "glance"],
    "supported_storages": ["local", "swift"],
    "supported_engines": ["tar", "nova", "glance"],
}
"""What a scheduler offers unless a test says otherwise."""

DEFAULT_LIMIT: Final = 10
"""Entries that Freezer lists where the limit is missing or 0."""

_CHECKED_CAPABILITIES: Final = {
    "action": "supported_actions",
    "mode": "supported_modes",
    "storage": "supported_storages",
}
"""The fields of an action that Freezer checks against what the scheduler offers."""

_COLUMNS: Final = (
    "action",
    "backup_name",
    "container",
    "path_to_backup",
    "timeout",
    "priority",
    "log_file",
)
"""The fields of an action that Freezer keeps in columns, where a PATCH without them leaves them."""

_PROJECT: Final = {"project_id": "project", "user_id": "user"}


@attrs.define
class _Action:
    fields: dict[str, Any]
    columns: dict[str, Any]
    retries: dict[str, Any]

    @classmethod
    def from_document(cls, document: Document) -> "_Action":
        fields = copy.deepcopy(document.get("freezer_action") or {})
        retries = {
            "max_retries": document.get("max_retries", 5),
            "max_retries_interval": document.get("max_retries_interval", 6),
        }
        columns = {name: fields.get(name) for name in _COLUMNS}
        return cls(fields, columns, retries)

    def overwrite(self, fields: Mapping[str, Any]) -> None:
        self.fields = copy.deepcopy(dict(fields))
        self.columns |= {name: fields[name] for name in _COLUMNS if name in fields}
        # A PATCH without them takes them away, and the job is refused when it is written anew.
        self.retries = dict.fromkeys(self.retries)

    @property
    def is_valid(self) -> bool:
        """Whether a job with this action may be written anew."""
        return None not in self.retries.values()

    def as_document(self, action_id: str) -> Document:
        mode = {"mode": self.fields.get("mode")}
        fields = copy.deepcopy({**self.fields, **self.columns, **mode})
        return {"action_id": action_id, "freezer_action": fields, **self.retries, **_PROJECT}


class FakeFreezer(FreezerClient):
    """One project's jobs, actions, records and schedulers; for one thread.

    Args:
        client_ids: schedulers that are registered from the start.

    Attributes:
        requests: what was asked, such as ``"GET jobs/ID"`` and ``"GET jobs"``, in order.
        before_request: is called with each request before it takes effect. A fault: what it raises,
            the caller gets.
        hidden: ids of jobs that lists miss, as pages do that shift while others delete.
    """

    predates_19: bool = False

    def __init__(self, *client_ids: str) -> None:
        self.requests: list[str] = []
        self.before_request: Callable[[str], None] = lambda _request: None
        self.hidden: set[str] = set()
        self._jobs: dict[str, Document] = {}
        self._used_ids: set[str] = set()
        self._actions: dict[str, _Action] = {}
        self._backups: dict[str, Document] = {}
        self._clients: dict[str, Document] = {}
        for client_id in client_ids:
            self.register(client_id)

    def create_job(self, document: Document) -> bool:
        """Create a job under the id in the document; False when the id is or was in use."""
        self._log("POST jobs")
        job_id, client_id = document["job_id"], document.get("client_id", "")
        # The actions are stored before anything is checked, and stay when the job is refused.
        actions = [self._add_action(action) for action in document.get("job_actions") or ()]
        if job_id in self._jobs:
            return False
        self._require_client(client_id, actions)
        if job_id in self._used_ids:
            return False
        created = {"time_created": int(time.time()), "time_started": -1, "time_ended": -1}
        self._used_ids.add(job_id)
        self._jobs[job_id] = {
            "job_id": job_id,
            "client_id": client_id,
            "description": document.get("description", ""),
            "job_schedule": {**document.get("job_schedule", {}), **created},
            "job_actions": actions,
            "session_id": "",
            "session_tag": 0,
            **_PROJECT,
        }
        return True

    def stop_job(self, job_id: str) -> None:
        """Ask the job's scheduler not to start it."""
        request = f"POST jobs/{job_id}/event"
        self._log(request)
        if job_id not in self._jobs:
            raise _refusal(request, HTTPStatus.BAD_REQUEST, "'job_actions' is a required property")
        job = self._jobs[job_id]
        if job["job_schedule"].get("event") == "stop":
            return
        # The whole job is written anew, and is checked for it.
        if any(not self._actions[id_].is_valid for id_ in self._present_actions(job)):
            raise _refusal(request, HTTPStatus.BAD_REQUEST, "None is not of type 'integer'")
        job["job_schedule"]["event"] = "stop"

    def move_job(self, job_id: str, client_id: str) -> None:
        """Give a job to a scheduler, which need not be registered, and start it."""
        request = f"PATCH jobs/{job_id}"
        self._log(request)
        if job_id not in self._jobs:
            raise _not_found(request, job_id)
        created = {"time_created": int(time.time()), "time_started": -1, "time_ended": -1}
        schedule = {"event": "start", "status": "", "result": "", **created}
        self._jobs[job_id] |= {"client_id": client_id, "job_schedule": schedule}

    def get_job(self, job_id: str) -> Document | None:
        """Return one job with its actions, or None where there is no such job."""
        self._log(f"GET jobs/{job_id}")
        return self.jobs.get(job_id)

    def get_backup(self, record_id: str) -> Document | None:
        """Return one record of a backup, or None where there is no such record."""
        self._log(f"GET backups/{record_id}")
        return copy.deepcopy(self._backups.get(record_id))

    def get_page(
        self, collection: str, *, limit: int, offset: int = 0, search: Document | None = None
    ) -> Sequence[Document]:
        """Return so many entries of a collection, from one of them on."""
        self._log(f"GET {collection}")
        listed = list(self._list(collection))
        for field, value in _conditions(search):
            listed = [entry for entry in listed if _last_value(entry, field) == value]
        return listed[offset : offset + (limit or DEFAULT_LIMIT)]

    def overwrite_action(self, action_id: str, action: Mapping[str, Any]) -> None:
        """Put other contents in the place of an action's."""
        request = f"PATCH actions/{action_id}"
        self._log(request)
        if action_id not in self._actions:
            raise _not_found(request, action_id)
        self._actions[action_id].overwrite(action)

    def delete_entry(self, collection: str, identifier: str) -> None:
        """Delete one entry; one that is gone already is no error."""
        self._log(f"DELETE {collection}/{identifier}")
        entries: dict[str, dict[str, Any]] = {
            "jobs": self._jobs,
            "actions": self._actions,
            "backups": self._backups,
            "clients": self._clients,
        }
        entries[collection].pop(identifier, None)

    # What schedulers and agents do.

    def register(self, client_id: str, hostname: str | None = "near", **more: Any) -> None:
        """Register a scheduler.

        Args:
            client_id: its id; one that is known is replaced.
            hostname: its host, None where it has named none.
            more: fields of its document in the place of ``CAPABILITIES``; None removes one.
        """
        own = {"hostname": hostname, "is_central": False, "description": None}
        fields = {**own, **CAPABILITIES, **more, "client_id": client_id, "uuid": uuid.uuid4().hex}
        for missing in (key for key, value in more.items() if value is None):
            del fields[missing]
        self._clients[client_id] = {"client": fields, **_PROJECT}

    def set_schedule(self, job_id: str, **schedule: Any) -> None:
        """Replace a job's schedule, as a scheduler does; without the times, where none is given."""
        self._jobs[job_id]["job_schedule"] = schedule

    def add_record(self, metadata: Mapping[str, Any]) -> str:
        """Add a record of a backup, as an agent does, and return its id."""
        record_id = uuid.uuid4().hex
        record = {"backup_id": record_id, "backup_metadata": copy.deepcopy(dict(metadata))}
        self._backups[record_id] = {**record, "status": "available", **_PROJECT}
        return record_id

    # What is stored, without a request.

    @property
    def jobs(self) -> dict[str, Document]:
        """Return the jobs' documents by id."""
        return {job_id: self._job_document(job) for job_id, job in self._jobs.items()}

    @property
    def actions(self) -> dict[str, Document]:
        """Return the actions' documents by id."""
        return {
            action_id: action.as_document(action_id) for action_id, action in self._actions.items()
        }

    @property
    def backups(self) -> dict[str, Document]:
        """Return the records' documents by id."""
        return copy.deepcopy(self._backups)

    @property
    def used_job_ids(self) -> frozenset[str]:
        """Return the ids of all jobs that were ever created."""
        return frozenset(self._used_ids)

    def _log(self, request: str) -> None:
        self.requests.append(request)
        self.before_request(request)

    def _add_action(self, document: Document) -> str:
        action_id = uuid.uuid4().hex
        self._actions[action_id] = _Action.from_document(document)
        return action_id

    def _require_client(self, client_id: str, action_ids: Sequence[str]) -> None:
        refused = HTTPStatus.UNPROCESSABLE_ENTITY
        if client_id not in self._clients:
            raise _refusal("POST jobs", refused, f"Client not found with ID {client_id}")
        client = self._clients[client_id]["client"]
        for action_id in action_ids:
            fields = self._actions[action_id].fields
            for field, offered in _CHECKED_CAPABILITIES.items():
                if fields.get(field) and fields[field] not in client[offered]:
                    text = f"Client {client_id} does not support {field}: {fields[field]}"
                    raise _refusal("POST jobs", refused, text)

    def _present_actions(self, job: Document) -> list[str]:
        # A job no longer lists an action that was deleted.
        return [action_id for action_id in job["job_actions"] if action_id in self._actions]

    def _job_document(self, job: Document) -> Document:
        own = [self._actions[id_].as_document(id_) for id_ in self._present_actions(job)]
        return {**copy.deepcopy(job), "job_actions": own}

    def _list(self, collection: str) -> Iterator[Document]:
        if collection == "jobs":
            shown = (job for job_id, job in self._jobs.items() if job_id not in self.hidden)
            return (self._job_document(job) for job in shown)
        stored = {"actions": self.actions, "backups": self.backups, "clients": self._clients}
        return (copy.deepcopy(entry) for entry in stored[collection].values())


def _conditions(search: Document | None) -> Iterator[tuple[str, Any]]:
    for condition in (search or {}).get("match", ()):
        yield from condition.items()


def _last_value(document: Mapping[str, Any], field: str) -> Any:
    """Return the value by which Freezer's search judges an entry: the last at any depth."""
    return (list(_values(document, field)) or [None])[-1]


def _values(document: Mapping[str, Any], field: str) -> Iterator[Any]:
    for key, value in document.items():
        if key == field:
            yield value
            continue
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, dict):
                yield from _values(nested, field)


def _refusal(request: str, status: HTTPStatus, text: str) -> BackendError:
    return BackendError(f"Freezer answered {request} with status {status:d}: {text}")


def _not_found(request: str, identifier: str) -> Transient:
    # The client takes a 404 to a write as passing: something in between may have given it.
    return Transient(f"Freezer answered {request} with status 404: not registered: {identifier}")
