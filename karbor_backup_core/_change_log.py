"""The extension that ships: one log line for every change of an operation.

The line is ``key=value`` text; the same as a mapping stands in the record's attribute
``karbor_backup``, for formatters that write JSON. Neither options nor receipts are in it.
"""

import json
import logging
import operator
from collections.abc import Iterator, Mapping
from typing import Any, Final

from karbor_backup_core._model import Operation, Result
from karbor_backup_core.hookspecs import hookimpl

LOGGER_NAME: Final = "karbor_backup.operations"

_LOGGED_FIELDS: Final = {
    path.rpartition(".")[2]: operator.attrgetter(path)
    for path in (
        "state",
        "phase",
        "attempt",
        "amount.done",
        "cancel_requested",
        "cancel_sent",
        "suspended",
        "retry.failures",
        "owner",
    )
}
"""Attributes whose change is told as "before->after"."""


class ChangeLog:
    """Writes to the logger ``karbor_backup.operations``.

    At ``DEBUG`` when nothing but times or the backend's notes changed, at ``WARNING`` when the
    operation failed or left something behind, at ``INFO`` otherwise.
    """

    def __init__(self) -> None:
        self._logger = logging.getLogger(LOGGER_NAME)

    @hookimpl
    def operation_changed(self, operation: Operation, before: Operation | None) -> None:
        """Write one line."""
        changes = dict(_change_fields(operation, before))
        level = _log_level(operation, before, changes)
        if not self._logger.isEnabledFor(level):
            return
        fields = {**_identity_fields(operation), **changes, **_outcome_fields(operation)}
        line = " ".join(f"{name}={_quote(value)}" for name, value in fields.items())
        self._logger.log(level, "%s", line, extra={"karbor_backup": fields})


def _identity_fields(operation: Operation) -> dict[str, Any]:
    return {
        "operation": operation.id,
        "verb": operation.verb.value,
        "backend": operation.backend,
        "resource_type": operation.resource.type,
        "resource_id": operation.resource.id,
    }


def _change_fields(operation: Operation, before: Operation | None) -> Iterator[tuple[str, str]]:
    for name, read in _LOGGED_FIELDS.items():
        after = read(operation)
        earlier = before and read(before)
        if before is None and name == "state":
            yield name, f"{after}"
        elif before is not None and after != earlier:
            yield name, f"{_format_value(earlier)}->{_format_value(after)}"
    error = operation.retry.last_error
    if error and (before is None or error != before.retry.last_error):
        yield "error", error


def _outcome_fields(operation: Operation) -> dict[str, Any]:
    outcome = operation.outcome
    if outcome is None:
        return {}
    fields: dict[str, Any] = {"result": outcome.result.value}
    if outcome.reason:
        fields["reason"] = outcome.reason
    if outcome.leftovers:
        fields["leftovers"] = len(outcome.leftovers)
    if operation.ended_at is not None:
        fields["seconds"] = (operation.ended_at - operation.created_at).total_seconds()
    return fields


def _log_level(operation: Operation, before: Operation | None, changes: Mapping[str, str]) -> int:
    outcome = operation.outcome
    if outcome is not None and outcome != getattr(before, "outcome", None):
        troubled = outcome.result is Result.FAILED or outcome.leftovers
        return logging.WARNING if troubled else logging.INFO
    return logging.INFO if changes else logging.DEBUG


def _format_value(value: Any) -> str:
    return "none" if value is None or value == "" else str(value).lower()


def _quote(value: Any) -> str:
    text = str(value)
    # As JSON what would break the line in two or the pair in three.
    plain = text.isprintable() and not any(mark in text for mark in ' "=')
    return text if plain and text else json.dumps(text)
