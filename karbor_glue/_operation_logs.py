"""Karbor's log of operations, in its database: what it says of an operation that nobody ends."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from karbor.common import constants

from karbor_backup_core import system_clock

_log = logging.getLogger("karbor_backup.karbor")

_BUSY: Final = (
    constants.CHECKPOINT_STATUS_PROTECTING,
    constants.CHECKPOINT_STATUS_DELETING,
    constants.RESTORE_STATUS_IN_PROGRESS,
)

_REASON: Final = (
    "the process that worked on it has ended; 'karbor-backup karbor recover' has put it right"
)


def unfinished_logs(provider_id: str) -> list[Any]:
    """Return Karbor's ``OperationLog`` of each operation of a provider that is not over.

    Args:
        provider_id: the provider's id.

    Returns:
        The logs; none where Karbor's database cannot be asked.
    """
    try:
        from karbor import context, objects

        objects.register_all()
        admin = context.get_admin_context()
        return [
            log
            for status in _BUSY
            for log in objects.OperationLogList.get_all(
                admin, None, None, filters={"provider_id": provider_id, "status": status}
            )
        ]
    except Exception as error:  # noqa: BLE001 - whatever Karbor's database raises
        _log.warning("Karbor's operation logs cannot be read: %s", error)
        return []


def end_logs(provider: Any, logs: Sequence[Any], reasons: Mapping[str, Sequence[str]]) -> None:
    """Write into logs how their operations ended, where these are over now.

    Args:
        provider: Karbor's provider.
        logs: as ``unfinished_logs`` returned them.
        reasons: why operations did not succeed, a line for each, by their checkpoints' ids.
    """
    for log in logs:
        try:
            status = _status_now(provider, log)
            if status in _BUSY:
                continue
            log.status = status
            log.ended_at = system_clock()
            lines = (log.error_info or _REASON).split("\n")
            log.error_info = "\n".join(dict.fromkeys((*lines, *reasons.get(log.checkpoint_id, ()))))
            log.save()
        except Exception as error:  # noqa: BLE001 - the work is done, whatever the database says
            _log.warning("the operation log %s cannot be ended: %s", log.id, error)


def _status_now(provider: Any, log: Any) -> str:
    """Return the status of what a log belongs to: a checkpoint, a restore or a verification."""
    if log.status != constants.RESTORE_STATUS_IN_PROGRESS:
        return str(provider.get_checkpoint(log.checkpoint_id).status)

    from karbor import context, objects

    admin = context.get_admin_context()
    if log.restore_id:
        return str(objects.Restore.get_by_id(admin, log.restore_id).status)
    # The log of a verification names its checkpoint alone.
    wanted = {"checkpoint_id": log.checkpoint_id, "status": constants.RESTORE_STATUS_IN_PROGRESS}
    going_on = list(objects.VerificationList.get_all(admin, None, None, filters=wanted))
    return str(log.status if going_on else constants.RESTORE_STATUS_FAILURE)
