"""Undoing a protect that did not succeed: its data, Cinder's own backups, its temporary things.

What is removed is found by ids that the operation alone has: its job, its container, its prefix.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Transient,
)
from karbor_backup_freezer.agent.actions import native_backup_name, removal_for_action
from karbor_backup_freezer.agent.compatibility import deletes_data
from karbor_backup_freezer.agent.escaping import unescape
from karbor_backup_freezer.api.cleanup import FreezerCleanup
from karbor_backup_freezer.api.jobs import (
    COMPLETED_STATES,
    ENDED_STATES,
    Job,
    JobState,
    job_document,
)
from karbor_backup_freezer.api.records import list_job_records, record_metadata
from karbor_backup_freezer.inspection.layout import project_list_path
from karbor_backup_freezer.model.ids import job_id, removal_step
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_freezer.model.modes import is_record_of
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_freezer.workflows import submission
from karbor_backup_freezer.workflows.context import WorkflowContext, get_discovery_result


class ProtectRollback:
    """Undoes protects whose job has ended.

    Args:
        context: Freezer and the cloud.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context
        self._client = context.client
        self._cleanup = FreezerCleanup(context.client)

    def roll_back(self, operation: Operation, job: Job) -> Progress:
        """Take the next step of undoing; all that is left after the last is the job itself.

        A job that its scheduler took off the list may have been waiting for a free worker, and
        run yet. The removal waits behind it at the same scheduler; so when the removal has run,
        a look at the job tells, and if it did run after all the data is removed once more.

        Raises:
            Transient: a repeat may help.
            BackendError: Freezer or the cloud does not tell what there is.
        """
        receipt = Receipt.from_operation(operation)
        if not receipt.removal:
            return self._remove_data(operation, job, 1)
        removal = self._find_removal_job(operation, receipt.removal)
        if removal is not None and removal.state not in ENDED_STATES:
            return receipt.running_progress()
        if job.state in COMPLETED_STATES and not receipt.ran:
            return self._remove_data(operation, job, receipt.removal + 1)
        return self._remove_rest(operation, job, _data_leftovers(job, removal))

    def _remove_data(self, operation: Operation, job: Job, number: int) -> Progress:
        """Begin the job that removes the data; look first, since a release may be repeated."""
        identifier = job_id(operation.id, removal_step(number))
        receipt = attrs.evolve(
            Receipt.from_operation(operation),
            removal=number,
            ran=job.state in COMPLETED_STATES,
            settles_at=0.0,
        )
        removals = [removal_for_action(action.fields) for action in job.actions]
        job_actions = [job_action for job_action in removals if job_action is not None]
        if any(_container_name(job_action) != operation.id for job_action in job_actions):
            note = f"job {job.id} names it, and it is not the container of this protect"
            return self._remove_rest(operation, job, [_container_leftover(job, note)])
        if not job_actions or self._find_removal_job(operation, number) is not None:
            return receipt.running_progress()
        what = f"karbor-backup removes what protect {operation.id} left"
        try:
            submission.create(self._client, job_document(identifier, job.client, what, job_actions))
        except Transient:
            raise
        except (BackendError, InvalidInput) as error:
            note = f"its data was not removed: {error}"
            return self._remove_rest(operation, job, [_container_leftover(job, note)])
        return receipt.running_progress()

    def _remove_rest(self, operation: Operation, job: Job, left: Sequence[Leftover]) -> Progress:
        """Remove what is not in the storage; the removals' own jobs go last."""
        leftovers = [*left]
        container = ""
        if operation.resource.type != DIRECTORY:
            container = unescape(job.get_field("container"))
            native_backups = self._context.native_backups.remove_backups(
                self._find_native_backups(operation, job), operation.id
            )
            temporary = self._context.temporary_resources.remove_for_job(job.id)
            pending = (*native_backups.pending, *temporary.pending)
            if pending:
                return Progress(ProgressState.RUNNING, leftovers=pending)
            leftovers += [*native_backups.leftovers, *temporary.leftovers]
        leftovers += self._cleanup.delete_records(job.id, container)
        for number in range(1, Receipt.from_operation(operation).removal + 1):
            removal = self._find_removal_job(operation, number)
            if removal is not None:
                leftovers += self._cleanup.delete_job(removal)
        return Progress(ProgressState.SUCCEEDED, leftovers=tuple(leftovers))

    def _find_native_backups(self, operation: Operation, job: Job) -> Mapping[str, str]:
        """Return the volumes of Cinder's own backups that the job made, recorded or not, by id."""
        items = [item for item in get_discovery_result(operation).items if item.mode is Mode.NATIVE]
        if not items:
            return {}
        found = {native: p.id for p in items for native in self._find_by_name(operation, p)}
        recorded = [record_metadata(record) for record in list_job_records(self._client, job.id)]
        recorded_backups = {
            str(metadata.get("cinder_backup_id") or ""): item.id
            for metadata in recorded
            for item in items
            if is_record_of(item, metadata)
        }
        return {
            native: volume for native, volume in {**recorded_backups, **found}.items() if native
        }

    def _find_by_name(self, operation: Operation, item: BackupItem) -> Sequence[str]:
        return self._context.native_backups.find_by_name(native_backup_name(operation), item.id)

    def _find_removal_job(self, operation: Operation, number: int) -> Job | None:
        document = self._client.get_job(job_id(operation.id, removal_step(number)))
        return None if document is None else Job.from_document(document)


def project_list_leftover(kind: StorageKind, container: str, project: str) -> Leftover:
    """Name the list of a project's servers, which no removal of freezer 19.0.0 removes."""
    note = "Freezer removes the backups of the servers, and not the list of them"
    return Leftover(f"file on {kind} storage", f"{container}/{project_list_path(project)}", note)


def _container_name(job_action: Mapping[str, Any]) -> str:
    return unescape(str(job_action.get("container"))).rpartition("/")[2]


def _container_leftover(job: Job, note: str) -> Leftover:
    container = unescape(job.get_field("container"))
    return Leftover(f"container on {job.get_field('storage')} storage", container, note)


def _data_leftovers(job: Job, removal: Job | None) -> Sequence[Leftover]:
    """Return what a removal does not remove; a job without actions was handled before."""
    stores = [action for action in job.actions if removal_for_action(action.fields) is not None]
    if not stores:
        return []
    if removal is not None and removal.state is not JobState.SUCCEEDED:
        return [_container_leftover(job, "Freezer failed to remove its data: remove it by hand")]
    if job.state in COMPLETED_STATES and not deletes_data(StorageKind(job.get_field("storage"))):
        return [
            _container_leftover(job, "Freezer removes nothing from s3: remove its data by hand")
        ]
    if job.state in COMPLETED_STATES and (project := job.get_field("project_id")):
        kind = StorageKind(job.get_field("storage"))
        return [project_list_leftover(kind, unescape(job.get_field("container")), project)]
    if job.state is JobState.FAILED:
        note = "it may hold data of the failed backup, which Freezer's removal does not see"
        return [_container_leftover(job, note)]
    return []
