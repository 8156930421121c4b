"""Karbor's records of restores and verifications, in its database."""

import logging
from collections.abc import Mapping
from typing import Any

from karbor.common import constants

from karbor_backup_core import Operation, Result

_log = logging.getLogger("karbor_backup.karbor")


def tell_record(notes: Mapping[str, Any], resource: Any, operation: Operation) -> None:
    """Tell the record of a restore or verification how the work on a resource ended.

    The flow that the record belongs to is gone, and with it what other resources have come to: so
    the record ends as ``fail`` in any case, and its resources' statuses say which were done.

    Args:
        notes: what was noted beside the operation.
        resource: Karbor's resource.
        operation: as it ended.
    """
    record = _find(notes)
    if record is None:
        return
    outcome = operation.outcome
    done = outcome is not None and outcome.result is Result.SUCCEEDED
    status = constants.RESOURCE_STATUS_AVAILABLE if done else constants.RESOURCE_STATUS_ERROR
    restored = next((each.id for each in outcome.resources), "") if outcome is not None else ""
    reason = "" if outcome is None else outcome.reason
    record.update_resource_status(resource.type, restored or resource.id, status, reason)
    record.status = constants.RESTORE_STATUS_FAILURE
    record.save()


def _find(notes: Mapping[str, Any]) -> Any:
    """Answer the record that the notes name; None where there is none, or no database."""
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
