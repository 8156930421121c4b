"""The last step of a protect: what is stored, which decides."""

import attrs

from karbor_backup_core import Progress, ProgressState
from karbor_backup_freezer.directories import hosts
from karbor_backup_freezer.directories.missing_files import explain_missing
from karbor_backup_freezer.inspection.archive_reads import ReadInProgress
from karbor_backup_freezer.inspection.assessment import assess
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.measurement import Measurement
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.items import DiscoveryResult, StoredItem
from karbor_backup_freezer.workflows import results
from karbor_backup_freezer.workflows.context import get_discovery_result
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep


class Inspection(FreezerStep):
    """Looks at what is stored: Freezer's own word is not enough."""

    name = "inspect"

    def execute(self, call: FreezerCall) -> Progress:
        """Look at the data, and make the backup of what is seen."""
        operation, receipt = call.operation, call.receipt
        discovery = get_discovery_result(operation)
        storage = self._context.get_storage(operation, receipt)
        location = attrs.evolve(
            self._context.backup_location(operation, storage), hostname=receipt.hostname
        )
        if not discovery.items:
            return results.empty_result(discovery, storage, location)
        stored = results.stored_items(discovery, receipt.records)
        try:
            seen = self._context.inspector.inspect(storage, location, stored)
        except ReadInProgress as still:
            return results.archive_read_progress(receipt, still.progress)
        measurements = [
            _explain_missing(item, each, location) for item, each in zip(stored, seen, strict=True)
        ]
        items = results.add_sizes(stored, measurements)
        handle = self._build_handle(call, discovery, location, items, storage.kind.value)
        assessment = assess(discovery, stored, measurements)
        return results.build_result(discovery, handle, assessment, storage.name)

    def status(self, call: FreezerCall) -> Progress:
        """Return whether this process still reads an archive; it is read anew where none does."""
        if call.step != self.name or call.operation.outcome is not None:
            return Progress(ProgressState.UNKNOWN)
        container = self._context.get_container(call.operation)
        still = self._context.inspector.archive_progress(container)
        if still is None:
            return Progress(ProgressState.READY)
        return results.archive_read_progress(call.receipt, still)

    @staticmethod
    def _build_handle(
        call: FreezerCall,
        discovery: DiscoveryResult,
        location: BackupLocation,
        items: tuple[StoredItem, ...],
        kind: str,
    ) -> Handle:
        return Handle(
            kind=kind,
            container=location.container,
            backup_name=location.backup_name,
            hostname=location.hostname,
            client=call.receipt.client,
            job=job_id(call.operation.id),
            agent_version=call.receipt.agent_version,
            items=items,
            servers=discovery.servers,
        )


def _explain_missing(
    stored: StoredItem, seen: Measurement, location: BackupLocation
) -> Measurement:
    """Return why an archive lacks something, where the directory is on this host."""
    if seen.contents is None or not hosts.is_local_host(location.hostname):
        return seen
    contents = explain_missing(seen.contents, stored.item.id, stored.time_stamp)
    return attrs.evolve(seen, contents=contents)
