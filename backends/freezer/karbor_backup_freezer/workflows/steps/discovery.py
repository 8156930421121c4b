"""The first step of a protect: what there is to protect, and whether it can be."""

import json
from typing import Final

import attrs

from karbor_backup_core import RECEIPT_LIMIT, InvalidInput, Progress
from karbor_backup_freezer.agent.compatibility import NEWEST_TESTED, item_restore_support
from karbor_backup_freezer.agent.escaping import check_folder_name
from karbor_backup_freezer.api.schedulers import Scheduler
from karbor_backup_freezer.directories.ownership import ownership_checks
from karbor_backup_freezer.model.items import BackupItem, DiscoveryResult
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import Storage
from karbor_backup_freezer.workflows import placement, submission
from karbor_backup_freezer.workflows.context import single_item_result
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep

DISCOVERY_LIMIT: Final = RECEIPT_LIMIT - 8 * 1024
"""Bytes that a discovery may take of a receipt or handle; the rest is for what comes to it."""

_BYTES_PER_ITEM: Final = 160
"""Bytes that a handle or receipt holds of each item beside what the discovery says."""


class Discovery(FreezerStep):
    """Finds out what a protect covers, and refuses what could not be done later."""

    name = "discover"

    def execute(self, call: FreezerCall) -> Progress:
        """Discover the resource, and choose the scheduler of its job.

        What the cloud was found to have is stored before the job is created, which has to be of
        just that. A directory is looked at in the call that creates the job: it may have changed
        by the next one.
        """
        if call.step == self.name:
            return call.receipt.succeeded_progress()
        if call.operation.resource.type == DIRECTORY:
            return self._discover_directory(call)
        operation = call.operation
        storage = self._context.get_storage(operation, Receipt())
        discovery = self._context.discoverer.discover(operation.resource, operation.options)
        _check_size(discovery)
        if not discovery.items:
            return Receipt(
                storage=storage.name, discovery=discovery.to_document()
            ).succeeded_progress()
        scheduler = self._choose_scheduler(call, discovery, storage)
        return _build_receipt(discovery, scheduler, storage).ready_progress()

    def _discover_directory(self, call: FreezerCall) -> Progress:
        """Look at the directory where it can be seen, unless its job was created before."""
        operation, receipt = call.operation, call.receipt
        storage = self._context.get_storage(operation, receipt)
        if submission.find_submitted_job(self._context, call) is not None:
            return attrs.evolve(receipt, storage=storage.name).succeeded_progress()
        whole = single_item_result(operation.resource)
        scheduler = self._choose_scheduler(call, whole, storage)
        container = self._context.backup_location(operation, storage).container
        discovery = self._context.protect_guard.discover(
            operation.resource, storage, container, scheduler.hostname
        )
        rights = ownership_checks(scheduler.client_id, scheduler.hostname)
        discovery = attrs.evolve(discovery, checks=(*discovery.checks, *rights))
        return _build_receipt(discovery, scheduler, storage).succeeded_progress()

    def _choose_scheduler(
        self, call: FreezerCall, discovery: DiscoveryResult, storage: Storage
    ) -> Scheduler:
        """Choose who runs the job, and refuse what could not be carried out or brought back."""
        operation = call.operation
        for item in discovery.items:
            self._check_restorable(call, item, storage)
        submission.job_description(operation)
        scheduler = placement.choose_for_protect(
            self._context.schedulers,
            self._context.requested_scheduler(operation),
            operation.resource,
            self._context.backup_actions(operation, discovery, storage, ""),
            operation.id,
        )
        self._context.agent_versions.require_support(scheduler.hostname, discovery.items)
        check_folder_name(scheduler.hostname, operation.options["backup_name"])
        return scheduler

    def _check_restorable(self, call: FreezerCall, item: BackupItem, storage: Storage) -> None:
        version = self._context.configuration.agent_version or NEWEST_TESTED
        support = item_restore_support(version, item, storage.kind)
        allowed = call.operation.options.get("allow_unrestorable", False)
        if not support.restorable and not allowed:
            raise InvalidInput(
                f"storage {storage.name!r}: freezer-agent {version} could not restore "
                f"{item.type} from {storage.kind}: {support.reason}; choose another storage, or "
                "give the option 'allow_unrestorable'"
            )


def _build_receipt(discovery: DiscoveryResult, scheduler: Scheduler, storage: Storage) -> Receipt:
    return Receipt(
        client=scheduler.client_id,
        hostname=scheduler.hostname,
        storage=storage.name,
        discovery=discovery.to_document(),
    )


def _check_size(discovery: DiscoveryResult) -> None:
    """Refuse what would not fit into a receipt and a handle, before anything is begun."""
    size = len(json.dumps(discovery.to_document()).encode()) + _BYTES_PER_ITEM * len(
        discovery.items
    )
    if size > DISCOVERY_LIMIT:
        raise InvalidInput(
            f"{discovery.resource.type} {discovery.resource.id} is too large for one backup: what "
            f"is needed to make its {len(discovery.items)} resources again takes {size} bytes, "
            f"and {DISCOVERY_LIMIT} are kept: protect its resources on their own"
        )
