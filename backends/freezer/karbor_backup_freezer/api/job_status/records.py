"""Ends of jobs seen in the records of backups.

A record is as good as the job's own word. The scheduler writes it when the agent has ended, after
the agent has printed what it stored, which is the last thing it does (freezer 19.0.0,
``scheduler_job.py``, ``execute_job_action``; ``main.py``); all that the scheduler has yet to do is
to note the result.
"""

from collections.abc import Collection, Mapping

from karbor_backup_freezer.agent.escaping import unescape
from karbor_backup_freezer.api.client import Document, FreezerClient
from karbor_backup_freezer.api.job_status.costs import CostModel
from karbor_backup_freezer.api.job_status.model import ExpectedJob
from karbor_backup_freezer.api.jobs import Action, Job
from karbor_backup_freezer.api.records import record_job_id


class JobRecords:
    """Lists what jobs have left: their records, and the actions that a release removes.

    Args:
        client: Freezer.
        costs: hears how long the list was.
    """

    def __init__(self, client: FreezerClient, costs: CostModel) -> None:
        self._client = client
        self._costs = costs

    def read(self, wanted: Collection[str]) -> dict[str, list[Document]]:
        """Return the records of these jobs, by job id, without jobs that have none.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        found: dict[str, list[Document]] = {}
        for count, record in enumerate(self._client.iter_entries("backups"), 1):
            self._costs.record_count("backups", count)
            if record_job_id(record) in wanted:
                found.setdefault(record_job_id(record), []).append(record)
        return found

    def read_actions(self, unseen: Mapping[str, ExpectedJob]) -> dict[str, Job]:
        """Return jobs that were never seen, with the actions that store to their containers.

        Raises:
            Transient: Freezer cannot be asked now.
            BackendError: Freezer refuses to tell.
        """
        if not unseen:
            return {}
        stored_to: dict[str, list[Action]] = {known.container: [] for known in unseen.values()}
        for document in self._client.iter_entries("actions"):
            action = Action.from_document(document)
            stored_to.get(unescape(str(action.fields.get("container"))), []).append(action)
        return {
            identifier: Job.unseen(identifier, known.client, stored_to[known.container])
            for identifier, known in unseen.items()
        }
