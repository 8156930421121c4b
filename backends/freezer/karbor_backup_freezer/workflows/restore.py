"""Restore: preflight, what the job restores into, the job, and the rebuild."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from karbor_backup_core import (
    BackendError,
    Json,
    Operation,
    Progress,
    ProgressState,
)
from karbor_backup_freezer import restore
from karbor_backup_freezer.agent import actions
from karbor_backup_freezer.api.jobs import JobState, placeholder_document
from karbor_backup_freezer.api.schedulers import Scheduler
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.ids import PREPARE, job_id, parse_item_index, work_step
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.receipt import Receipt, StepName
from karbor_backup_freezer.model.resource_types import DIRECTORY, PROJECT
from karbor_backup_freezer.model.storages import Storage
from karbor_backup_freezer.restore.names import check_names
from karbor_backup_freezer.workflows import placement, reassignment, submission
from karbor_backup_freezer.workflows.context import WorkflowContext


class Restore:
    """The steps of a restore.

    Args:
        context: what the steps need.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context

    def execute(self, operation: Operation, own_paths: Sequence[str] = ()) -> Progress:
        """Take the step that is next.

        Args:
            operation: the restore.
            own_paths: what the calling program works with on this host, and is to be spared.

        Raises:
            InvalidInput: it cannot be done as asked.
            Transient: a repeat may help.
            BackendError: a repeat would not.
        """
        receipt = Receipt.from_operation(operation)
        backup, handle, storage = self._context.load_source(operation)
        if receipt.step is StepName.NONE:
            self._context.verify_ownership(backup, handle)
            check_names(operation, handle.pieces, handle.servers)
        updated = attrs.evolve(receipt, storage=storage.name)
        if (
            moved := reassignment.advance_current_job(self._context, operation, updated)
        ) is not None:
            return moved
        match receipt.step:
            case StepName.NONE if operation.resource.type == DIRECTORY:
                return self._submit_directory_job(operation, updated, handle, storage, own_paths)
            case StepName.NONE:
                return self._preflight(operation, updated, handle, storage)
            case StepName.PREFLIGHT | StepName.PREPARE:
                return self._prepare(operation, updated, handle, storage)
            case StepName.JOB if operation.resource.type == PROJECT:
                return self._submit_next_job(operation, updated, handle, storage)
            case _:
                return self._restore_resources(operation, updated, handle)

    def _preflight(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        """Refuse what could not come to its end."""
        items = [stored.piece for stored in handle.pieces]
        if not items:
            return self._restore_resources(operation, receipt, handle)
        scheduler = self._choose_scheduler(operation, receipt, handle, storage)
        self._context.agent_versions.require_support(scheduler.hostname, items)
        self._context.preflight.check(items, handle.servers, operation.options)
        updated = attrs.evolve(receipt, step=StepName.PREFLIGHT, client=scheduler.client_id)
        return updated.ready_progress()

    def _prepare(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        """Have what the job restores into; where that is there, begin the job."""
        if receipt.step is StepName.PREFLIGHT and restore.makes_volumes(operation, handle):
            # It is there until the release, so that whoever comes late sees that it is over.
            fence = placeholder_document(job_id(operation.id, PREPARE), receipt.client)
            submission.create(self._context.client, fence)
        prepared = self._context.restorer.prepare(operation, handle, receipt.notes)
        updated = attrs.evolve(receipt, notes=prepared.restore_state)
        if prepared.progress.state is ProgressState.READY:
            return self._submit_job(operation, updated, handle, storage)
        return _to_progress(prepared, attrs.evolve(updated, step=StepName.PREPARE))

    def _submit_directory_job(
        self,
        operation: Operation,
        receipt: Receipt,
        handle: Handle,
        storage: Storage,
        own_paths: Sequence[str],
    ) -> Progress:
        """Begin the job of a directory's restore, unless it would do damage.

        The guard looks right before the job is created: what is mounted later it cannot see.
        """
        if submission.find_submitted_job(self._context, operation) is None:
            scheduler = self._choose_scheduler(operation, receipt, handle, storage)
            self._context.restore_guard.check(operation, handle, scheduler.hostname, own_paths)
            receipt = attrs.evolve(receipt, client=scheduler.client_id, hostname=scheduler.hostname)
        return self._submit_job(operation, receipt, handle, storage)

    def _submit_job(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        updated = attrs.evolve(
            receipt, step=StepName.JOB, doubt=receipt.doubt or operation.attempt > 1
        )
        if job := submission.find_submitted_job(self._context, operation):
            return attrs.evolve(updated, client=job.client).running_progress()
        client = receipt.client
        if not client:
            client = self._choose_scheduler(operation, receipt, handle, storage).client_id
        submission.submit_job(
            self._context,
            operation,
            client,
            self._build_actions(operation, receipt, handle, storage),
        )
        return attrs.evolve(updated, client=client).running_progress()

    def _submit_next_job(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Progress:
        """Begin another job for the members that the last one has not tried.

        Its first action was tried for sure. Beyond that one the agent has got as far as it has
        left anything; what left nothing is tried again, as the first one of the next job.
        """
        step = work_step(receipt.jobs + 1)
        doubt = receipt.doubt or operation.attempt > 1
        updated = attrs.evolve(receipt, jobs=receipt.jobs + 1, doubt=doubt)
        if job := submission.find_submitted_job(self._context, operation, step):
            return attrs.evolve(updated, client=job.client).running_progress()
        last = submission.get_finished_job(self._context, operation, work_step(receipt.jobs))
        if last is None or last.state is not JobState.FAILED:
            return self._restore_resources(operation, receipt, handle)
        first = parse_item_index(last.get_field("temp_resource_prefix"))
        reached = self._context.restorer.find_attempted_items(operation, handle)
        untried = max([first, *reached]) + 1
        job_actions = self._build_actions(operation, receipt, handle, storage)[untried:]
        if not job_actions:
            return self._restore_resources(operation, receipt, handle)
        submission.submit_job(self._context, operation, receipt.client, job_actions, step)
        return updated.running_progress()

    def _restore_resources(
        self, operation: Operation, receipt: Receipt, handle: Handle
    ) -> Progress:
        rebuilt = self._context.restorer.advance(operation, handle, receipt.notes)
        return _to_progress(
            rebuilt, attrs.evolve(receipt, step=StepName.REBUILD, notes=rebuilt.restore_state)
        )

    def _choose_scheduler(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> Scheduler:
        return placement.choose_for_backup(
            self._context.schedulers,
            self._context.requested_scheduler(operation),
            handle,
            storage,
            self._build_actions(operation, receipt, handle, storage),
            operation.id,
        )

    def _build_actions(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> list[Mapping[str, Any]]:
        targets = self._target_volumes(handle, receipt.notes)
        return [
            actions.restore_action(
                operation, index, stored, handle.location, storage, targets.get(stored.piece.id, "")
            )
            for index, stored in enumerate(handle.pieces)
        ]

    def _target_volumes(self, handle: Handle, notes: Json) -> Mapping[str, str]:
        """The volumes that Cinder's own backups are restored to, as far as they are there."""
        native_backups = [s.piece for s in handle.pieces if s.piece.mode is Mode.NATIVE]
        try:
            return (
                {p.id: self._context.restorer.native_target(notes, p) for p in native_backups}
                if notes
                else {}
            )
        except KeyError as error:
            raise BackendError(f"there is no volume to restore {error} to") from None


def _to_progress(step: restore.StepResult, receipt: Receipt) -> Progress:
    return attrs.evolve(step.progress, receipt=receipt.to_document())
