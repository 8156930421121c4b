"""Removes what a rule has left, on a service that others use too."""

import functools
import logging
from collections.abc import Callable
from typing import Final

from karbor_backup_core.contract.expectations import ended
from karbor_backup_core.contract.trial import Trial
from karbor_backup_core.model import Operation, Result, Verb

_log: Final = logging.getLogger("karbor_backup.contract")


def tidy(trial: Trial) -> None:
    """End the operations of a trial, delete its backups and remove its resources.

    What cannot be removed is logged.
    """
    for operation in trial.store.operations(unreleased=True):
        _try(f"operation {operation.id}", functools.partial(_end, trial, operation))
    for backup in trial.store.backups():
        _try(f"backup {backup.id}", functools.partial(trial.succeed, Verb.DELETE, backup))
    for resource in trial.made():
        remove = functools.partial(trial.bench.resources.remove, resource)
        _try(f"{resource.type} {resource.id}", remove)


def _end(trial: Trial, operation: Operation) -> None:
    ended(trial.finish(trial.cancel(operation)), *Result)


def _try(what: str, remove: Callable[[], object]) -> None:
    try:
        remove()
    except Exception as error:  # noqa: BLE001 - whatever a backend or a bench raises
        _log.warning("%s of the contract suite could not be removed: %s", what, error)
