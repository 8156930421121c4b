"""How a protect ends: what was recorded of it, what is stored, and what its backup holds."""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from karbor_backup_core import (
    Check,
    Member,
    Part,
    Progress,
    ProgressState,
    Resource,
    Result,
)
from karbor_backup_freezer.agent.compatibility import restorable_check
from karbor_backup_freezer.api.client import Document
from karbor_backup_freezer.api.jobs import Job
from karbor_backup_freezer.api.records import RECORD_EXISTS_CHECK, record_metadata
from karbor_backup_freezer.inspection.archive_reads import ReadProgress
from karbor_backup_freezer.inspection.assessment import Assessment
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.measurement import Measurement
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.items import BackupItem, DiscoveryResult, Mode, StoredItem
from karbor_backup_freezer.model.modes import is_record_of
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.model.resource_types import SUPPORTED_TYPES
from karbor_backup_freezer.model.storages import Storage, StorageKind
from karbor_backup_openstack.resource_types import SERVER


def match_records(
    discovery: DiscoveryResult, records: Iterable[Document]
) -> tuple[Document | None, ...]:
    """Return the record of each item, None where Freezer has none: its action did not succeed."""
    known = list(records)

    def of(item: BackupItem) -> Document | None:
        fitting = (record for record in known if is_record_of(item, record_metadata(record)))
        return next(fitting, None)

    return tuple(of(item) for item in discovery.items)


def compact_records(records: Iterable[Document | None]) -> tuple[tuple[str, int, str], ...]:
    """Return what a receipt keeps of the records of a protect whose every item has one."""
    return tuple(_compact_record(record) for record in records if record is not None)


def agent_field(records: Iterable[Document | None], field: str) -> str:
    """Return the agent's field found in a job's records, empty where there is none."""
    values = (str(record_metadata(record).get(field) or "") for record in records if record)
    return next(filter(None, values), "")


def stored_items(
    discovery: DiscoveryResult, records: Sequence[tuple[str, int, str]]
) -> tuple[StoredItem, ...]:
    """Return the items with their records."""
    return tuple(
        StoredItem(item=item, record=record, time_stamp=time_stamp, native=native)
        for item, (record, time_stamp, native) in zip(discovery.items, records, strict=True)
    )


def add_sizes(
    items: Sequence[StoredItem], measurements: Sequence[Measurement]
) -> tuple[StoredItem, ...]:
    """Return the items with the bytes that were seen of each."""
    return tuple(
        attrs.evolve(item, stored=seen.stored)
        for item, seen in zip(items, measurements, strict=True)
    )


def archive_read_progress(receipt: Receipt, still: ReadProgress) -> Progress:
    """Return the answer of a step while what is stored is read; it keeps the receipt."""
    return attrs.evolve(
        receipt.running_progress(), done=still.done, total=still.total, unit="bytes"
    )


def incomplete_result(
    discovery: DiscoveryResult, records: Sequence[Document | None], job: Job, limit: str = ""
) -> Progress:
    """Return the result of a protect of which not every item was backed up.

    The scheduler runs a job's actions in turn and skips those after one that failed, and an
    action that succeeded has left a record (freezer 19.0.0): so the first that has none failed.

    Args:
        discovery: what was to be backed up.
        records: of each item, None where there is none.
        job: the job that has ended.
        limit: what an older agent cannot do, which may be why records are missing.
    """
    where = (
        f"the reason is in the log of scheduler {job.client} and in freezer-agent's log on host "
        f"{job.get_field('hostname') or 'of that scheduler'}"
        f"{f'; {limit}' if limit else ''}"
    )
    lacking = [p for p, record in zip(discovery.items, records, strict=True) if record is None]
    if not lacking:
        message = f"Freezer's job ended with result {job.result or 'none'!r}; {where}"
        return Progress(ProgressState.FAILED, reason=message)
    first = lacking[0]
    failed = f"Freezer did not back up {first.type} {first.id}; {where}"
    if len(discovery.items) == 1:
        return Progress(ProgressState.FAILED, reason=failed)
    skipped = "not tried, since Freezer skips what comes after an action that failed"
    problems = {item.id: skipped for item in lacking} | {first.id: failed}
    return Progress(
        ProgressState.FAILED,
        reason=f"{len(lacking)} of {len(discovery.items)} were not backed up: {failed}",
        parts=tuple(_to_part(item.resource, problems.get(item.id, "")) for item in discovery.items),
    )


def empty_result(
    discovery: DiscoveryResult, storage: Storage, location: BackupLocation
) -> Progress:
    """Return the success of a protect that has nothing to do: a project without resources."""
    handle = Handle(
        kind=storage.kind.value,
        container=location.container,
        backup_name=location.backup_name,
        hostname="",
        client="",
        job="",
        agent_version="",
    )
    empty = Check("nothing to store", verified=True)
    return Progress(
        ProgressState.SUCCEEDED,
        handle=handle.to_document(),
        storage=storage.name,
        checks=(empty, *discovery.checks),
    )


def build_result(
    discovery: DiscoveryResult, handle: Handle, assessment: Assessment, storage: str
) -> Progress:
    """Return the result of a protect whose data was inspected."""
    recorded = Check(RECORD_EXISTS_CHECK, verified=True)
    checks = (
        recorded,
        *assessment.checks,
        restorable_check(handle.agent_version, discovery.items, StorageKind(handle.kind)),
        *discovery.checks,
    )
    if assessment.reason:
        return Progress(
            ProgressState.FAILED, reason=assessment.reason, parts=assessment.parts, checks=checks
        )
    return Progress(
        ProgressState.SUCCEEDED,
        handle=handle.to_document(),
        storage=storage,
        parts=assessment.parts,
        checks=checks,
        members=tuple(_list_members(discovery, handle)),
    )


def _list_members(discovery: DiscoveryResult, handle: Handle) -> Iterator[Member]:
    """Yield what can be restored alone: servers with their volumes, and every volume."""
    if any(item.mode is Mode.TENANT for item in discovery.items):
        return
    for server in discovery.servers:
        resource = Resource(SERVER, server.id, server.name)
        if server.id != discovery.resource.id:
            held = {a.volume for a in server.attachments if a.included}
            yield Member(resource, handle.for_member({server.id, *held}).to_document())
    servers = {server.id for server in discovery.servers}
    for item in discovery.items:
        restorable = item.type in SUPPORTED_TYPES and item.id not in servers
        if restorable and item.id != discovery.resource.id:
            yield Member(item.resource, handle.for_member({item.id}).to_document())


def _compact_record(record: Document) -> tuple[str, int, str]:
    metadata = record_metadata(record)
    native = str(metadata.get("cinder_backup_id") or "")
    return record["backup_id"], int(metadata.get("time_stamp") or 0), native


def _to_part(resource: Resource, problem: str) -> Part:
    return Part(resource, Result.FAILED if problem else Result.SUCCEEDED, problem)
