"""Rules about what is stored: it is JSON, and nobody changes it behind the core's back."""

import json
from collections.abc import Mapping
from typing import Any

import attrs

from karbor_backup_core.contract.expectations import require
from karbor_backup_core.contract.lives import life
from karbor_backup_core.contract.needs import HOLDINGS
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import Trial
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.model import BackendInfo, Health, Operation, Progress, State, Verb


@rule(
    "C-911",
    "Operations and backups that went through JSON are gone on with.",
    "A store keeps text: what was a tuple, a number as a key or an object of one's own comes back "
    "as something else.",
    HOLDINGS,
)
def documents_are_enough(trial: Trial) -> None:
    """Read every operation anew from its JSON text before each call."""

    def reread(operation: Operation) -> Operation:
        read = from_document(Operation, json.loads(json.dumps(to_document(operation))))
        require(read == operation, f"{operation} comes back from JSON as {read}")
        return read

    for kind in trial.kinds(Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
        life(trial, kind, reread)


@rule(
    "C-912",
    "A hook changes nothing of what it is given, nor later of what it answered.",
    "What was stored and what is in memory would no longer be the same.",
    HOLDINGS,
)
def documents_stay_as_they_are(trial: Trial) -> None:
    """Write down every operation before each call, and compare at the end of its life."""
    seen: list[tuple[Operation, str]] = []

    def note(operation: Operation) -> Operation:
        seen.append((operation, json.dumps(to_document(operation))))
        return operation

    kind = trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    for _ in range(2):
        life(trial, kind, note)
        if trial.supports(kind, Verb.VERIFY):
            trial.succeed(Verb.VERIFY, trial.backup(trial.make(kind)), note)
    for operation, text in seen:
        now = json.dumps(to_document(operation))
        require(now == text, f"{text} has been changed to {now}")


@rule(
    "C-913",
    "Every hook answers what it must, also while work goes on: `None` is never an answer.",
    "pluggy takes None for no answer, and would ask on or hand it out without a word.",
)
def every_hook_answers(trial: Trial) -> None:
    """Ask each hook itself, without the core in between."""
    kind = trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    backup = trial.backup(trial.make(kind))
    _answers(trial, "describe", BackendInfo)
    _answers(trial, "scope", str)
    _answers(trial, "check", Health)
    for verb in trial.verbs(kind):
        operation = trial.submitting(verb, backup.resource if verb is Verb.PROTECT else backup)
        _answers(trial, verb.value, Progress, operation=operation)
        polled = _answers(trial, "poll", Mapping, operations=(operation,))
        require(isinstance(polled.get(operation.id), Progress), f"poll answered {polled}")
        _answers(trial, "cancel", bool, operation=operation)
        operation = trial.finish(trial.restart(operation))
        again = attrs.evolve(operation, state=State.RELEASING)
        _answers(trial, "release", Progress, operation=again)


def _answers(trial: Trial, hook: str, cls: type, **arguments: object) -> Any:
    answer = trial.process.ask(hook, **arguments)
    require(isinstance(answer, cls), f"{hook} answered {answer!r}, not a {cls.__name__}")
    return answer
