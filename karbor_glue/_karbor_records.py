"""Karbor's records of restores and verifications, in its database."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
from karbor.common import constants

from karbor_backup_core import Operation, Result
from karbor_glue._option_hints import add_option_hints

_log = logging.getLogger("karbor_backup.karbor")


def update_record(notes: Mapping[str, Any], resource: Any, operation: Operation) -> None:
    """Tell the record of a restore or verification how the work on a resource ended.

    The flow that the record belongs to is gone, and with it what other resources have come to: so
    the record ends as ``fail`` in any case, and its resources' statuses say which were done.

    Args:
        notes: what was noted beside the operation.
        resource: Karbor's resource.
        operation: as it ended.
    """
    record = _find_record(notes)
    if record is None:
        return
    outcome = operation.outcome
    done = outcome is not None and outcome.result is Result.SUCCEEDED
    status = constants.RESOURCE_STATUS_AVAILABLE if done else constants.RESOURCE_STATUS_ERROR
    restored = next((each.id for each in outcome.resources), "") if outcome is not None else ""
    words = "" if outcome is None else outcome.reason
    reason = add_option_hints(operation.verb, resource.type, words)
    record.update_resource_status(resource.type, restored or resource.id, status, reason)
    record.status = constants.RESTORE_STATUS_FAILURE
    record.save()


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


def end_abandoned_records(provider_id: str, alive: Sequence[str]) -> list[AbandonedRecord]:
    """End the records of a provider that are in progress while nobody works on them.

    Args:
        provider_id: the provider's id.
        alive: the processes that show that they live; with any, records are left alone.

    Returns:
        The records that were found; none where Karbor's database cannot be asked.
    """
    try:
        found = list(_list_in_progress(provider_id))
    except Exception as error:  # noqa: BLE001 - whatever Karbor's database raises
        _log.warning("Karbor's records of restores and verifications cannot be read: %s", error)
        return []
    ended = []
    for kind, record in found:
        before = record.status
        problems: tuple[str, ...] = ()
        if alive:
            problems = (f"left alone: a process shows that it lives: {', '.join(alive)}",)
        else:
            record.status = constants.RESTORE_STATUS_FAILURE
            record.save()
        name = f"{kind} {record.id}"
        ended.append(AbandonedRecord(name, record.checkpoint_id, before, record.status, problems))
    return ended


def _list_in_progress(provider_id: str) -> Iterator[tuple[str, Any]]:
    from karbor import context, objects

    objects.register_all()
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
