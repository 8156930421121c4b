"""Freezer's records of backups: each action of a job that has backed something up leaves one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from karbor_backup_freezer.api.client import Document, FreezerClient

RECORD_EXISTS_CHECK: Final = "record exists"
"""The name of the check whether Freezer knows of a backup."""


def list_records_by_job(
    client: FreezerClient, job_ids: Collection[str]
) -> dict[str, Sequence[Document]]:
    """Return the records that these jobs left, by job id: one request for one, a list for more.

    A record may be missed in the list, since pages shift; a job of which none was seen is asked
    for alone.
    """
    found: dict[str, list[Document]] = {}
    if len(job_ids) > 1:
        for record in client.iter_entries("backups"):
            if (identifier := record_job_id(record)) in job_ids:
                found.setdefault(identifier, []).append(record)
    missed = set(job_ids) - found.keys()
    return {**found, **{missing: list_job_records(client, missing) for missing in missed}}


def list_job_records(client: FreezerClient, job_id: str) -> Sequence[Document]:
    """Return the records that one job left; the answer is one page, from which none is missing."""
    return client.search("backups", "job_id", job_id)


def record_job_id(record: Document) -> str:
    """Return the id of the job that left a record, empty where it names none."""
    identifier: str = record_metadata(record).get("job_id") or ""
    return identifier


def record_metadata(record: Document) -> Mapping[str, Any]:
    """Return the agent's metadata of a backup."""
    return record.get("backup_metadata") or {}
