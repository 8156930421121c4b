"""Requests to Freezer's API v2: one attempt each, with a timeout, over kept connections.

python-freezerclient 6.5 opens a connection for each request, waits without limit and can be told
neither; its managers call ``requests`` by name. So requests go through keystoneauth's ``Adapter``
and only the reading of errors is freezerclient's. Bodies are never logged: they hold secrets.
"""

import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.api import errors
from karbor_backup_freezer.api.client import Document, FreezerClient
from karbor_backup_openstack import http_errors
from karbor_backup_openstack.connection import Connection

if TYPE_CHECKING:
    from requests import Response

_DELETED_STATUSES: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.OK)


class FreezerHttpClient(FreezerClient):
    """Freezer's API over HTTP.

    Args:
        connection: where Freezer is.
        timeout: seconds that one request may take, None for the connection's.
    """

    def __init__(self, connection: Connection, timeout: float | None = None) -> None:
        self._connection = connection
        self._timeout = timeout
        self._predates_19: bool | None = None

    @property
    def predates_19(self) -> bool:
        """Whether the API is older than 19.0.0, from what it last said of a scheduler."""
        if self._predates_19 is None:
            self.get_page("clients", limit=1)
        return bool(self._predates_19)

    def create_job(self, document: Document) -> bool:
        """Create a job under the id in the document; False when the id is or was in use.

        Before 19.0.0 the collection gives a job an id of its own. There the job's own URL is used,
        which replaces a job of that id, so that it is looked for first.
        """
        path = "jobs"
        if self.predates_19:
            path = f"jobs/{document['job_id']}"
            if self.get_job(document["job_id"]) is not None:
                return False
        response = self._send("POST", path, json=document)
        if response.status_code == HTTPStatus.CONFLICT:
            return False
        self._check(response, "POST jobs", HTTPStatus.CREATED)
        return True

    def stop_job(self, job_id: str) -> None:
        """Ask the job's scheduler not to start it; a job that runs is not stopped by it."""
        response = self._send("POST", f"jobs/{job_id}/event", json={"stop": None})
        if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and (
            job := self.get_job(job_id)
        ):
            # An event writes the whole job anew, and Freezer takes no job whose scheduler is not on
            # its list (any more), or offers less than before. The schedule alone it takes; and a
            # scheduler runs jobs also without being on the list.
            schedule = {**(job.get("job_schedule") or {}), "event": "stop"}
            self._change_job(job_id, {"job_schedule": schedule})
            return
        self._check(response, "POST jobs/event", HTTPStatus.ACCEPTED)

    def move_job(self, job_id: str, client_id: str) -> None:
        """Give a job that was stopped before it began to a scheduler, and start it, in one write.

        A schedule is replaced as a whole; what Freezer writes into a new one is written here.
        """
        schedule = {
            "event": "start",
            "status": "",
            "result": "",
            "time_created": int(time.time()),
            "time_started": -1,
            "time_ended": -1,
        }
        self._change_job(job_id, {"client_id": client_id, "job_schedule": schedule})

    def get_job(self, job_id: str) -> Document | None:
        """Return one job with its actions, or None where Freezer knows no such job."""
        return self._get("jobs", job_id)

    def get_backup(self, record_id: str) -> Document | None:
        """Return one record of a backup, or None where Freezer knows no such record."""
        return self._get("backups", record_id)

    def get_page(
        self, collection: str, *, limit: int, offset: int = 0, search: Document | None = None
    ) -> Sequence[Document]:
        """Return so many entries of a collection, from one of them on."""
        params = {"limit": limit, "offset": offset}
        response = self._send("GET", collection, params=params, json=search)
        what = f"GET {collection}"
        self._check(response, what, HTTPStatus.OK)
        entries = self._parse_document(response, what).get(collection)
        if not isinstance(entries, list):
            raise BackendError(f"Freezer answered {what} without {collection!r}")
        if collection == "clients" and entries:
            self._predates_19 = "is_central" not in (entries[0].get("client") or {})
        return entries

    def overwrite_action(self, action_id: str, action: Mapping[str, Any]) -> None:
        """Put other contents in the place of an action's."""
        response = self._send("PATCH", f"actions/{action_id}", json={"freezer_action": action})
        self._check(response, "PATCH actions", HTTPStatus.OK)

    def delete_entry(self, collection: str, identifier: str) -> None:
        """Delete one entry; one that is gone already is no error."""
        response = self._send("DELETE", f"{collection}/{identifier}")
        if (
            response.status_code == HTTPStatus.NOT_FOUND
            and self._get(collection, identifier) is None
        ):
            return
        self._check(response, f"DELETE {collection}", *_DELETED_STATUSES)

    def _change_job(self, job_id: str, fields: Document) -> None:
        response = self._send("PATCH", f"jobs/{job_id}", json=fields)
        self._check(response, "PATCH jobs", HTTPStatus.OK)

    def _get(self, collection: str, identifier: str) -> Document | None:
        response = self._send("GET", f"{collection}/{identifier}")
        if response.status_code == HTTPStatus.NOT_FOUND and not http_errors.is_html(response):
            return None
        self._check(response, f"GET {collection}", HTTPStatus.OK)
        return self._parse_document(response, f"GET {collection}")

    def _send(self, method: str, path: str, **kwargs: Any) -> "Response":
        from keystoneauth1 import exceptions

        adapter = self._connection.adapter
        timeout = self._timeout or self._connection.timeout
        try:
            return adapter.request(
                f"/{path}",
                method,
                timeout=timeout,
                raise_exc=False,
                log=False,
                redirect=False,
                **{key: value for key, value in kwargs.items() if value is not None},
            )
        except exceptions.ClientException as error:
            endpoint = self._connection.endpoint
            where = f"Freezer at {endpoint}" if endpoint in str(error) else "Keystone"
            raise http_errors.from_connection_error(error, where, timeout) from error

    def _check(self, response: "Response", what: str, *expected: HTTPStatus) -> None:
        if response.status_code in expected and not http_errors.is_html(response):
            return
        from freezerclient.exceptions import ApiClientException

        error = ApiClientException(response)
        raise errors.from_response(error, response, what) from error

    def _parse_document(self, response: "Response", what: str) -> Document:
        try:
            document = response.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Transient(f"Freezer's answer to {what} is not a JSON object")
        return document
