"""Removing what Freezer keeps of jobs.

Freezer's delete is a mark on the row, so secrets are written over first. Deleting a job leaves its
actions, whose ids only the job tells: they go first, and the job last. A create that was refused
or repeated leaves actions that no job lists; they are found by their container.
"""

from collections.abc import Iterable, Sequence

from karbor_backup_core import BackendError, Leftover, Transient
from karbor_backup_freezer.agent.action_validation import remove_invalid_fields
from karbor_backup_freezer.agent.escaping import escape
from karbor_backup_freezer.api.client import FreezerClient
from karbor_backup_freezer.api.jobs import Action, Job, placeholder_document
from karbor_backup_freezer.model.storages import SECRET_FIELDS, without_secrets


class FreezerCleanup:
    """Freezer's jobs, actions and records of one operation.

    Each method raises ``Transient`` where a repeat may help; what Freezer refuses for good to
    remove is answered as leftovers.

    Args:
        client: Freezer.
    """

    def __init__(self, client: FreezerClient) -> None:
        self._client = client

    def delete_job(self, job: Job) -> Sequence[Leftover]:
        """Remove a job that has ended, and its actions."""
        leftovers = [x for action in job.actions for x in self._delete_action(action)]
        return [*leftovers, *self._delete_entry("jobs", job.id, "Freezer job")]

    def delete_records(self, job_id: str, container: str = "") -> Sequence[Leftover]:
        """Remove Freezer's records of the backups that a job has made, or has begun.

        A record of one that was only begun names no job (mode ``cindernative``).

        Args:
            job_id: the job.
            container: its container, where something may have been begun only.
        """
        records = {r["backup_id"] for r in self._client.search("backups", "job_id", job_id)}
        if container:
            begun = self._client.search("backups", "container", escape(container))
            records |= {record["backup_id"] for record in begun}
        return [
            leftover
            for record in sorted(records)
            for leftover in self._delete_entry("backups", record, "Freezer backup record")
        ]

    def retire(self, job_id: str, client_ids: Iterable[str]) -> Sequence[Leftover]:
        """Use up the id of a job that is not there, so that a request that comes late fails.

        A process that was paused before it created the job may go on when the operation is over.
        Freezer never gives an id twice (19.0.0: 409 for a deleted job too), so a job that does
        nothing is created under the id, and deleted. An API before 19.0.0 answers a used id as it
        answers a passing fault (500), so that nothing could tell the end; there it is not done.

        Args:
            job_id: the id.
            client_ids: the schedulers that may be named in the job, the first one before others.

        Raises:
            Transient: the job has been created meanwhile, or a repeat may help.
        """
        if self._client.predates_19:
            return []
        reason = ""
        for client_id in client_ids:
            try:
                created = self._client.create_job(placeholder_document(job_id, client_id))
            except Transient:
                raise
            except BackendError as error:
                reason = str(error)
                continue
            if not created and self._client.get_job(job_id) is not None:
                raise Transient(f"job {job_id} was created while its operation was released")
            return self._delete_entry("jobs", job_id, "Freezer job") if created else []
        if not reason:
            # Freezer creates no job without a scheduler, for nobody.
            return []
        note = f"a process that was paused may create it yet: its id was not used up: {reason}"
        return [Leftover("Freezer job", job_id, note)]

    def delete_stray_actions(self, container: str) -> Sequence[Leftover]:
        """Remove the actions on a container that no job lists."""
        stray = {
            document["action_id"]: document.get("freezer_action") or {}
            for document in self._client.search("actions", "container", escape(container))
        }
        if not stray:
            return []
        for document in self._client.iter_entries("jobs"):
            for action in document.get("job_actions") or ():
                stray.pop(action.get("action_id"), None)
        actions = [Action(identifier, fields) for identifier, fields in stray.items()]
        return [leftover for action in actions for leftover in self._delete_action(action)]

    def _delete_action(self, action: Action) -> Sequence[Leftover]:
        leftovers: list[Leftover] = []
        if any(action.fields.get(field) for field in SECRET_FIELDS):
            try:
                # Fields are checked as in a new job, as anybody may have changed the action since.
                fields = without_secrets(remove_invalid_fields(action.fields))
                self._client.overwrite_action(action.id, fields)
            except Transient:
                raise
            except BackendError as error:
                note = f"its secrets stay in Freezer's database: {error}"
                leftovers.append(Leftover("secrets of a Freezer action", action.id, note))
        return [*leftovers, *self._delete_entry("actions", action.id, "Freezer action")]

    def _delete_entry(self, collection: str, identifier: str, kind: str) -> Sequence[Leftover]:
        try:
            self._client.delete_entry(collection, identifier)
        except Transient:
            raise
        except BackendError as error:
            return [Leftover(kind, identifier, str(error))]
        return []
