"""Freezer's records of backups: finding them, and what can be said of a backup by them."""

from collections.abc import Collection, Mapping
from typing import Any

from karbor_backup_core import Backup, Check, Operation, Progress, ProgressState
from karbor_backup_freezer.actions import kind_of
from karbor_backup_freezer.agent_text import unescaped
from karbor_backup_freezer.client import Document, FreezerClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.jobs import Job
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.restorable import verdict
from karbor_backup_freezer.storages import Kind

EXISTS = "record exists"
MATCHES = "record matches"
RESTORABLE = "restorable data"


def records_of(client: FreezerClient, job_ids: Collection[str]) -> Mapping[str, Document]:
    """The records that these jobs have left, by job id: one request for one, a list for more.

    A record may be missed in the list, since pages shift; it is then asked for alone.
    """
    found: dict[str, Document] = {}
    if len(job_ids) > 1:
        for record in client.all("backups"):
            job_id = _metadata(record).get("job_id", "")
            if job_id in job_ids:
                found[job_id] = record
    for job_id in set(job_ids) - found.keys():
        alone = client.matching("backups", "job_id", job_id)
        if alone:
            found[job_id] = alone[0]
    return found


def protected(
    operation: Operation, job: Job, record: Document | None, configuration: Configuration
) -> Progress:
    """The end of a protect whose job has succeeded."""
    if record is None:
        return Progress(
            ProgressState.FAILED,
            reason=(
                f"Freezer's job succeeded but left no record of the backup; the log of scheduler "
                f"{job.client} says why"
            ),
        )
    metadata = _metadata(record)
    handle = Handle(
        mode=job.field("mode"),
        kind=job.field("storage"),
        container=unescaped(job.field("container")),
        backup_name=unescaped(job.field("backup_name")),
        hostname=metadata.get("hostname") or job.field("hostname"),
        client=job.client,
        job=job.id,
        record=record["backup_id"],
        time_stamp=int(metadata.get("time_stamp") or 0),
        agent_version=str(metadata.get("client_version") or ""),
    )
    storage = Receipt.of(operation).storage or operation.options.get("storage")
    return Progress(
        ProgressState.SUCCEEDED,
        handle=handle.document(),
        storage=storage or configuration.storage or "",
        checks=(Check(EXISTS, verified=True), _restorable(operation.resource.type, handle)),
    )


def verified(client: FreezerClient, backup: Backup) -> Progress:
    """Look whether Freezer still knows the backup as it was made; its data is not read.

    Raises:
        Unsupported: Freezer does not back up resources of that type.
        InvalidInput: the handle cannot be read.
        Transient: Freezer cannot be asked now.
        BackendError: Freezer refuses to tell.
    """
    kind = kind_of(backup.resource.type)
    handle = Handle.of(backup)
    record = client.backup(handle.record)
    if record is None:
        # A backup is not called lost on a single "not found".
        record = next(iter(client.matching("backups", "job_id", handle.job)), None)
    if record is None:
        return _unverifiable(EXISTS, f"Freezer has no record {handle.record} any more")
    status = record.get("status") or "available"
    if status != "available":
        return _unverifiable(EXISTS, f"Freezer calls the backup {status!r}")
    metadata = _metadata(record)
    for field, expected in (("container", handle.container), ("mode", handle.mode)):
        if metadata.get(field) != expected:
            return _unverifiable(
                MATCHES, f"its {field} is {metadata.get(field)!r} in Freezer, not {expected!r}"
            )
    return Progress(
        ProgressState.SUCCEEDED,
        checks=(
            Check(EXISTS, verified=True),
            Check(MATCHES, verified=True),
            _restorable(kind.type, handle),
        ),
    )


def _unverifiable(name: str, reason: str) -> Progress:
    check = Check(name, verified=False, reason=reason)
    return Progress(ProgressState.FAILED, reason=reason, checks=(check,))


def _restorable(resource_type: str, handle: Handle) -> Check:
    judged = verdict(handle.agent_version, resource_type, Kind(handle.kind))
    reason = kind_of(resource_type).unverified if judged.restorable else judged.reason
    return Check(RESTORABLE, verified=False, reason=reason)


def _metadata(record: Document) -> Mapping[str, Any]:
    return record.get("backup_metadata") or {}
