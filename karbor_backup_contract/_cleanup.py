"""Removes what a rule has left, on a service that others use too."""

import functools
import logging
from collections.abc import Callable
from typing import Final

from karbor_backup_contract._assertions import require_outcome
from karbor_backup_contract._context import RuleContext
from karbor_backup_core import Operation, Result, Verb

_log: Final = logging.getLogger("karbor_backup.contract")


def clean_up(context: RuleContext) -> None:
    """End the operations of a context, delete its backups and remove its resources.

    What cannot be removed is logged.
    """
    if context.used_source is not None:
        clean_up(context.used_source)
    for operation in context.store.operations(unreleased=True):
        _try_removal(
            f"operation {operation.id}", functools.partial(_end_operation, context, operation)
        )
    backups = [] if context.is_lost else context.store.backups()
    # The later ones first: they may depend on the earlier.
    for backup in reversed(backups):
        _try_removal(
            f"backup {backup.id}", functools.partial(context.run_successfully, Verb.DELETE, backup)
        )
    for resource in context.created_resources():
        remove = functools.partial(context.harness.resources.delete, resource)
        _try_removal(f"{resource.type} {resource.id}", remove)


def _end_operation(context: RuleContext, operation: Operation) -> None:
    require_outcome(context.finish(context.cancel(operation)), *Result)


def _try_removal(what: str, remove: Callable[[], object]) -> None:
    try:
        remove()
    except Exception as error:  # noqa: BLE001 - whatever a backend or a harness raises
        _log.warning("%s of the contract suite could not be removed: %s", what, error)
