"""Rules about what anybody may have written: handles of documents, and ids of resources."""

import contextlib
import copy
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from karbor_backup_contract._assertions import describe_operation, require
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import require_unchanged
from karbor_backup_contract.requirements import INVENTORY
from karbor_backup_core import Backup, InvalidInput, Json, Resource, Result, Verb

_HUGE_LENGTH = 20_000


@rule(
    "C-306",
    "A damaged or foreign handle changes nothing: restore, copy, delete and verify refuse it or "
    "fail.",
    "A backup's document is a file that anybody may have written.",
    INVENTORY,
)
def foreign_handles_change_nothing(context: RuleContext) -> None:
    """Alter each value of a handle, and put another backup's handle in its place."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    _use_altered_handles(context, context, kind, (Verb.VERIFY, Verb.RESTORE, Verb.DELETE))
    if context.copies(kind):
        _use_altered_handles(context, context.source, kind, (Verb.COPY,))


@rule(
    "C-307",
    "An id that depends on the working directory, or that is one of many for the same thing, is "
    "refused or not found.",
    "Whoever goes on with an operation works in another directory.",
    INVENTORY,
)
def relative_ids_are_refused(context: RuleContext) -> None:
    """Protect by other ids, also from the directory in which they would be found."""
    for kind in context.types_supporting(Verb.PROTECT):
        resource = context.create_resource(kind)
        before = context.inventory()
        parent, name = os.path.split(resource.id)
        inside = parent if parent.startswith("/") and Path(parent).is_dir() else None
        ids = [".", "..", f"./{resource.id}", f"./{name}", f"{resource.id}/.", f"{parent}/./{name}"]
        ids += [name] if inside else []
        with contextlib.chdir(inside) if inside else contextlib.nullcontext():
            for identifier in ids:
                _require_no_success(
                    context, Verb.PROTECT, Resource(kind, identifier), f"id {identifier!r}"
                )
        require_unchanged(context, before, f"protects of a {kind} by relative ids")


def _use_altered_handles(
    context: RuleContext, owner: RuleContext, kind: str, verbs: Sequence[Verb]
) -> None:
    """Have verbs work on backups that an owner has made, under handles that it has not."""
    backup, other = (owner.protect(context.create_resource(kind)) for _ in range(2))
    verbs = [verb for verb in verbs if context.supports(kind, verb)]
    before = context.inventory()
    for what, handle in _altered_handles(backup, other):
        for verb in verbs:
            _require_no_success(context, verb, attrs.evolve(backup, handle=handle), what)
        require_unchanged(context, before, f"work on a handle with {what}")


def _require_no_success(
    context: RuleContext, verb: Verb, target: Resource | Backup, what: str
) -> None:
    try:
        operation = context.run(verb, target)
    except InvalidInput:
        return
    outcome = operation.outcome
    require(
        outcome and outcome.result is not Result.SUCCEEDED,
        f"{what}: {describe_operation(operation)}",
    )


def _altered_handles(backup: Backup, other: Backup) -> Iterator[tuple[str, Json]]:
    """Yield handles that no release has written for the backup, and what is wrong with each."""
    if other.handle != backup.handle:
        yield "what another backup's has", other.handle
    yield "nothing in it", {}
    for name in backup.handle:
        yield f"no {name!r}", {key: each for key, each in backup.handle.items() if key != name}
    for place, value in _leaves(backup.handle):
        for wrong in (
            ["x"],
            {"x": "y"},
            "../../../etc",
            f"{value}\r\nx = y",
            "x\0",
            "x" * _HUGE_LENGTH,
        ):
            yield f"{wrong!r:.40} at {place}", _replace_value(backup.handle, place, wrong)


def _leaves(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Yield the place and the value of all that is neither an object nor a list."""
    if isinstance(value, dict | list | tuple):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        for step, inner in steps:
            yield from _leaves(inner, (*place, step))
    else:
        yield place, value


def _replace_value(handle: Json, place: tuple[str | int, ...], value: Any) -> Json:
    document: Any = json.loads(json.dumps(copy.deepcopy(dict(handle))))
    inside = document
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    return dict(document)
