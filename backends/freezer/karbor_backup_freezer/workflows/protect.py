"""Protect: survey, job, Cinder's own backups, and a look at what is stored."""

import json
from typing import Any, Final

import attrs

from karbor_backup_core import (
    RECEIPT_LIMIT,
    InvalidInput,
    Operation,
    Progress,
    ProgressState,
)
from karbor_backup_freezer.agent import actions
from karbor_backup_freezer.agent.compatibility import NEWEST_TESTED, item_restore_support
from karbor_backup_freezer.agent.escaping import check_backup_name, check_folder_name
from karbor_backup_freezer.agent.versions import describe_agent_limit
from karbor_backup_freezer.api.jobs import JobState
from karbor_backup_freezer.api.records import list_job_records
from karbor_backup_freezer.api.schedulers import Scheduler
from karbor_backup_freezer.directories import hosts
from karbor_backup_freezer.directories.missing_files import explain_missing
from karbor_backup_freezer.directories.ownership import ownership_checks
from karbor_backup_freezer.inspection.archive_reads import ReadInProgress
from karbor_backup_freezer.inspection.assessment import assess
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.measurement import Measurement
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.items import BackupItem, DiscoveryResult, Mode, StoredItem
from karbor_backup_freezer.model.receipt import Receipt, StepName
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import Storage
from karbor_backup_freezer.workflows import placement, reassignment, results, submission
from karbor_backup_freezer.workflows.context import (
    WorkflowContext,
    get_discovery_result,
    single_item_result,
)

_DISCOVERY_LIMIT: Final = RECEIPT_LIMIT - 8 * 1024
"""Bytes that a survey may take of a receipt or handle; the rest is for what comes to it."""

_BYTES_PER_ITEM: Final = 160
"""Bytes that a handle or receipt holds of each piece beside what the survey says."""


class Protect:
    """The steps of a protect. Each raises ``Transient`` or ``BackendError`` as Freezer answers.

    Args:
        context: what the steps need.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context

    def execute(self, operation: Operation) -> Progress:
        """Take the step that is next.

        Raises:
            InvalidInput: it cannot be done as asked.
            Transient: a repeat may help.
            BackendError: a repeat would not.
        """
        receipt = Receipt.from_operation(operation)
        match receipt.step:
            case StepName.NONE if operation.resource.type == DIRECTORY:
                return self._submit_directory_job(operation, receipt)
            case StepName.NONE:
                return self._discover(operation)
            case StepName.SURVEY:
                return self._submit_job(operation, receipt, receipt.load_discovery_result())
            case StepName.JOB:
                return self._collect_records(operation, receipt)
            case _:
                return self._inspect(operation, receipt)

    def _discover(self, operation: Operation) -> Progress:
        """Find out what there is to protect, and refuse what could not be done later."""
        storage = self._context.get_storage(operation, Receipt())
        discovery = self._context.discoverer.discover(operation.resource, operation.options)
        _check_size(discovery)
        if not discovery.pieces:
            return results.empty_result(discovery, storage, self._location(operation, storage))
        scheduler = self._choose_scheduler(operation, discovery, storage)
        receipt = Receipt(
            step=StepName.SURVEY,
            client=scheduler.client_id,
            hostname=scheduler.hostname,
            storage=storage.name,
            survey=discovery.to_document(),
        )
        return receipt.ready_progress()

    def _submit_directory_job(self, operation: Operation, receipt: Receipt) -> Progress:
        """Look at the directory where it can be seen, and begin the job."""
        whole = single_item_result(operation.resource)
        if submission.find_submitted_job(self._context, operation) is not None:
            return self._submit_job(operation, receipt, whole)
        storage = self._context.get_storage(operation, receipt)
        scheduler = self._choose_scheduler(operation, whole, storage)
        container = self._location(operation, storage).container
        discovery = self._context.protect_guard.discover(
            operation.resource, storage, container, scheduler.hostname
        )
        rights = ownership_checks(scheduler.client_id, scheduler.hostname)
        discovery = attrs.evolve(discovery, checks=(*discovery.checks, *rights))
        updated = attrs.evolve(
            receipt,
            client=scheduler.client_id,
            hostname=scheduler.hostname,
            survey=discovery.to_document(),
        )
        return self._submit_job(operation, updated, discovery)

    def _submit_job(
        self, operation: Operation, receipt: Receipt, discovery: DiscoveryResult
    ) -> Progress:
        """Begin the job, on the scheduler that the survey has found or on one that fits now."""
        storage = self._context.get_storage(operation, receipt)
        updated = attrs.evolve(
            receipt, step=StepName.JOB, storage=storage.name, doubt=operation.attempt > 1
        )
        if job := submission.find_submitted_job(self._context, operation):
            return attrs.evolve(updated, client=job.client).running_progress()
        client, hostname = receipt.client, receipt.hostname
        if not client:
            scheduler = self._choose_scheduler(operation, discovery, storage)
            client, hostname = scheduler.client_id, scheduler.hostname
        job_actions = self._build_actions(operation, discovery, storage, hostname)
        submission.submit_job(self._context, operation, client, job_actions)
        return attrs.evolve(updated, client=client, hostname=hostname).running_progress()

    def _collect_records(self, operation: Operation, receipt: Receipt) -> Progress:
        """See what Freezer has recorded; then wait for Cinder, or look at the data."""
        discovery = get_discovery_result(operation)
        job = submission.get_finished_job(self._context, operation)
        if job is None:
            return Progress(
                ProgressState.FAILED, reason=f"job {job_id(operation.id)} is gone from Freezer"
            )
        if (
            moved := reassignment.advance_reassignment(self._context, operation, receipt, job)
        ) is not None:
            return moved
        _, seen = self._context.finished_jobs.get(job.id)
        records = results.match_records(discovery, seen)
        limit = ""
        if None in records:
            found = list_job_records(self._context.client, job.id)
            records = results.match_records(discovery, found)
            limit = describe_agent_limit(results.agent_field(found, "client_version"))
        if job.state is not JobState.SUCCEEDED or None in records:
            return results.incomplete_result(discovery, records, job, limit)
        updated = attrs.evolve(
            receipt,
            step=StepName.NATIVE,
            doubt=receipt.doubt or operation.attempt > 1,
            # A scheduler may not have told its host's name; what counts is what the agent used.
            hostname=results.agent_field(records, "hostname") or receipt.hostname,
            agent_version=results.agent_field(records, "client_version"),
            records=results.compact_records(records),
        )
        if any(item.mode is Mode.NATIVE for item in discovery.pieces):
            return updated.running_progress()
        return self._inspect(operation, updated)

    def _inspect(self, operation: Operation, receipt: Receipt) -> Progress:
        """Look at what is stored, which decides: Freezer's own word is not enough."""
        discovery = get_discovery_result(operation)
        storage = self._context.get_storage(operation, receipt)
        stored = results.stored_items(discovery, receipt.records)
        location = attrs.evolve(self._location(operation, storage), hostname=receipt.hostname)
        try:
            seen = self._context.inspector.inspect(storage, location, stored)
        except ReadInProgress as still:
            return results.archive_read_progress(receipt, still.progress)
        measurements = [
            _explain_missing(item, each, location) for item, each in zip(stored, seen, strict=True)
        ]
        handle = Handle(
            kind=storage.kind.value,
            container=location.container,
            backup_name=location.backup_name,
            hostname=location.hostname,
            client=receipt.client,
            job=job_id(operation.id),
            agent_version=receipt.agent_version,
            pieces=results.add_sizes(stored, measurements),
            servers=discovery.servers,
        )
        assessment = assess(discovery, stored, measurements)
        ended = results.build_result(discovery, handle, assessment, storage.name)
        return attrs.evolve(ended, receipt=receipt.to_document())

    def _choose_scheduler(
        self, operation: Operation, discovery: DiscoveryResult, storage: Storage
    ) -> Scheduler:
        """Choose who runs the job, and refuse what could not be carried out or brought back."""
        for item in discovery.pieces:
            self._check_restorable(operation, item, storage)
        submission.job_description(operation)
        scheduler = placement.choose_for_protect(
            self._context.schedulers,
            self._context.requested_scheduler(operation),
            operation.resource,
            self._build_actions(operation, discovery, storage, ""),
            operation.id,
        )
        self._context.agent_versions.require_support(scheduler.hostname, discovery.pieces)
        check_folder_name(scheduler.hostname, operation.options["backup_name"])
        return scheduler

    def _build_actions(
        self, operation: Operation, discovery: DiscoveryResult, storage: Storage, hostname: str
    ) -> list[dict[str, Any]]:
        location = attrs.evolve(self._location(operation, storage), hostname=hostname)
        return [
            actions.backup_action(operation, index, item, location, storage)
            for index, item in enumerate(discovery.pieces)
        ]

    def _location(self, operation: Operation, storage: Storage) -> BackupLocation:
        return BackupLocation(
            container=storage.backup_container(self._context.configuration.container, operation.id),
            backup_name=check_backup_name(operation.options["backup_name"]),
            hostname="",
        )

    def _check_restorable(self, operation: Operation, item: BackupItem, storage: Storage) -> None:
        version = self._context.configuration.agent_version or NEWEST_TESTED
        judged = item_restore_support(version, item, storage.kind)
        if not judged.restorable and not operation.options.get("allow_unrestorable", False):
            raise InvalidInput(
                f"storage {storage.name!r}: freezer-agent {version} could not restore "
                f"{item.type} from {storage.kind}: {judged.reason}; choose another storage, or "
                "give the option 'allow_unrestorable'"
            )


def _explain_missing(
    stored: StoredItem, seen: Measurement, location: BackupLocation
) -> Measurement:
    """Say why an archive lacks something, where the directory is on this host."""
    if seen.contents is None or not hosts.is_local_host(location.hostname):
        return seen
    contents = explain_missing(seen.contents, stored.piece.id, stored.time_stamp)
    return attrs.evolve(seen, contents=contents)


def _check_size(discovery: DiscoveryResult) -> None:
    """Refuse what would not fit into a receipt and a handle, before anything is begun."""
    size = len(json.dumps(discovery.to_document()).encode()) + _BYTES_PER_ITEM * len(
        discovery.pieces
    )
    if size > _DISCOVERY_LIMIT:
        raise InvalidInput(
            f"{discovery.resource.type} {discovery.resource.id} is too large for one backup: what "
            f"is needed to make its {len(discovery.pieces)} resources again takes {size} bytes, "
            f"and {_DISCOVERY_LIMIT} are kept: protect its resources on their own"
        )
