"""Karbor's records of restores and verifications, in its database."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs
from karbor.common import constants

from karbor_backup_core import Operation, Result
from karbor_glue._leases import describe_alive
from karbor_glue._option_hints import add_option_hints
from karbor_glue._outcomes import describe_unverified, record_id, restored_ids

_log = logging.getLogger("karbor_backup.karbor")


def update_record(
    notes: Mapping[str, Any], resources: Mapping[str, Any], operation: Operation
) -> None:
    """Tell the record of a restore or verification how the work on a resource ended.

    The flow that the record belongs to is gone, and with it what other resources have come to: so
    the record ends as ``fail`` in any case, and its resources' statuses say which were done.

    Args:
        notes: what was noted beside the operation.
        resources: Karbor's resources of the checkpoint, by the ids that the backend knows.
        operation: as it ended.
    """
    record = _find_record(notes)
    if record is None:
        return
    restored = restored_ids(operation, operation.outcome) if operation.outcome else {}
    for known, (status, reason) in _describe_end(operation).items():
        resource = resources.get(known)
        if resource is None:
            continue
        record.update_resource_status(
            resource.type,
            record_id(resource, known, restored),
            status,
            add_option_hints(operation.verb, resource.type, reason),
        )
    record.status = constants.RESTORE_STATUS_FAILURE
    record.save()


def _describe_end(operation: Operation) -> dict[str, tuple[str, str]]:
    """Return status and reason of the resource, and of each member that an operation names."""
    outcome = operation.outcome
    if outcome is None:
        return {operation.resource.id: (constants.RESOURCE_STATUS_ERROR, "")}
    found = {each.resource.id: (_status(each.result), each.reason) for each in outcome.parts}
    reason = outcome.reason or describe_unverified(outcome)
    return {**found, operation.resource.id: (_status(outcome.result), reason)}


def _status(result: Result) -> str:
    done = result is Result.SUCCEEDED
    return str(constants.RESOURCE_STATUS_AVAILABLE if done else constants.RESOURCE_STATUS_ERROR)


@attrs.frozen
class AbandonedRecord:
    """A record of a restore or verification that was found in progress.

    Attributes:
        name: its kind and id.
        checkpoint: the id of its checkpoint.
        before: its status as it was found.
        after: its status now.
        problems: why it was left alone.
    """

    name: str
    checkpoint: str
    before: str
    after: str
    problems: tuple[str, ...] = ()


def end_abandoned_records(provider_id: str, alive: Mapping[str, datetime]) -> list[AbandonedRecord]:
    """End the records of a provider that are in progress while nobody works on them.

    Args:
        provider_id: the provider's id.
        alive: until when processes show that they live; with any, records are left alone.

    Returns:
        The records that were found; where Karbor's database cannot be read, one that says so.
    """
    try:
        from karbor import objects

        objects.register_all()
    except ImportError as error:
        _log.warning("Karbor is installed without what its database needs: %s", error)
        return []
    try:
        found = list(_list_in_progress(provider_id))
    except Exception as error:  # noqa: BLE001 - whatever Karbor's database raises
        first_line = str(error).partition("\n")[0]
        problem = (
            "Karbor's database cannot be read, so that records of restores and verifications were "
            f"not looked at: {first_line}; see to [database] connection in "
            "Karbor's configuration"
        )
        return [AbandonedRecord("database", "", "", "", (problem,))]
    ended = []
    for kind, record in found:
        before = record.status
        problems: tuple[str, ...] = ()
        if alive:
            problems = (describe_alive(alive),)
        else:
            record.status = constants.RESTORE_STATUS_FAILURE
            record.save()
        name = f"{kind} {record.id}"
        ended.append(AbandonedRecord(name, record.checkpoint_id, before, record.status, problems))
    return ended


def _list_in_progress(provider_id: str) -> Iterator[tuple[str, Any]]:
    from karbor import context, objects

    admin = context.get_admin_context()
    wanted = {"provider_id": provider_id, "status": constants.RESTORE_STATUS_IN_PROGRESS}
    for kind, records in (("restore", objects.RestoreList), ("verify", objects.VerificationList)):
        for record in records.get_all(admin, None, None, filters=dict(wanted)):
            yield kind, record


def append_to_operation_log(log: Any, resource: Any, reason: str) -> None:
    """Add to Karbor's log of an operation why the work on one resource failed.

    Users read it with ``karbor operationlog-show``; nothing else tells them why a protect or a
    delete failed.

    Args:
        log: Karbor's ``OperationLog``; whatever else a hook is given is left alone.
        resource: Karbor's resource.
        reason: why, in one line.
    """
    if not hasattr(log, "save"):
        return
    known = log.error_info if log.obj_attr_is_set("error_info") else None
    line = f"{resource.type} {resource.id}: {reason}"
    if line in (known or "").split("\n"):
        return
    log.error_info = f"{known}\n{line}" if known else line
    try:
        log.save()
    except Exception as error:  # noqa: BLE001 - whatever a database raises, the reason is logged
        _log.warning(
            "the operation log cannot be told of %s %s: %s", *_type_and_id(resource), error
        )


def _type_and_id(resource: Any) -> tuple[str, str]:
    return str(resource.type), str(resource.id)


def _find_record(notes: Mapping[str, Any]) -> Any:
    """Return the record that the notes name; None where there is none, or no database."""
    kinds = {"restore": "Restore", "verify": "Verification"}
    named = next((kind for kind in kinds if kind in notes), None)
    if named is None:
        return None
    try:
        from karbor import context, objects

        objects.register_all()
        admin = context.get_admin_context()
        return getattr(objects, kinds[named]).get_by_id(admin, notes[named])
    except Exception as error:  # noqa: BLE001 - the work is done, whatever the database says
        _log.warning("the record %s of a %s cannot be told: %s", notes[named], named, error)
        return None
