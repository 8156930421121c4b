"""Rules about what is stored: it is JSON, and nobody changes it behind the core's back."""

import json
from collections.abc import Mapping
from typing import Any

import attrs

from karbor_backup_contract._assertions import require
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import run_lifecycle
from karbor_backup_contract.requirements import INVENTORY
from karbor_backup_core import BackendInfo, Health, Operation, Progress, State, Verb
from karbor_backup_core.documents import from_document, to_document


@rule(
    "C-911",
    "Operations and backups that went through JSON are gone on with.",
    "A store keeps text: what was a tuple, a number as a key or an object of one's own comes back "
    "as something else.",
    INVENTORY,
)
def operations_survive_json(context: RuleContext) -> None:
    """Read every operation anew from its JSON text before each call."""

    def reread(operation: Operation) -> Operation:
        read = from_document(Operation, json.loads(json.dumps(to_document(operation))))
        require(read == operation, f"{operation} comes back from JSON as {read}")
        return read

    for kind in context.types_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
        run_lifecycle(context, kind, reread)


@rule(
    "C-912",
    "A hook changes nothing of what it is given, nor later of what it answered.",
    "What was stored and what is in memory would no longer be the same.",
    INVENTORY,
)
def arguments_are_not_modified(context: RuleContext) -> None:
    """Write down every operation before each call, and compare at the end of its life."""
    seen: list[tuple[Operation, str]] = []

    def note(operation: Operation) -> Operation:
        seen.append((operation, json.dumps(to_document(operation))))
        return operation

    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    for _ in range(2):
        run_lifecycle(context, kind, note)
        if context.supports(kind, Verb.VERIFY):
            context.run_successfully(
                Verb.VERIFY, context.protect(context.create_resource(kind)), note
            )
        for target in context.maintained():
            context.run_successfully(Verb.MAINTAIN, target, note)
    for operation, text in seen:
        now = json.dumps(to_document(operation))
        require(now == text, f"{text} has been changed to {now}")


@rule(
    "C-913",
    "Every hook answers what it must, also while work goes on: `None` is never an answer.",
    "pluggy takes None for no answer, and would ask on or hand it out without a word.",
)
def every_hook_returns_a_result(context: RuleContext) -> None:
    """Ask each hook itself, without the core in between."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    backup = context.protect(context.create_resource(kind))
    _require_result_type(context, "describe", BackendInfo)
    _require_result_type(context, "scope", str)
    _require_result_type(context, "check", Health)
    for verb, target in context.targets_of(backup):
        operation = context.record_submission(verb, target)
        _require_result_type(context, verb.value, Progress, operation=operation)
        polled = _require_result_type(context, "poll", Mapping, operations=(operation,))
        require(isinstance(polled.get(operation.id), Progress), f"poll answered {polled}")
        _require_result_type(context, "cancel", bool, operation=operation)
        operation = context.finish(context.restart(operation))
        again = attrs.evolve(operation, state=State.RELEASING)
        _require_result_type(context, "release", Progress, operation=again)


def _require_result_type(context: RuleContext, hook: str, cls: type, **arguments: object) -> Any:
    answer = context.process.call_hook(hook, **arguments)
    require(isinstance(answer, cls), f"{hook} answered {answer!r}, not a {cls.__name__}")
    return answer
