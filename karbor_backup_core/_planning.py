"""From a wish to a planned operation; all that can be refused is refused here."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from karbor_backup_core._backend import Backend
from karbor_backup_core._errors import InvalidInput, Unsupported, WrongBackend, WrongScope
from karbor_backup_core._identifiers import check_backup, check_resource
from karbor_backup_core._lifecycle.policy import LONGEST_DURATION
from karbor_backup_core._model import (
    Backup,
    Operation,
    Outcome,
    Resource,
    Result,
    State,
    Support,
    Verb,
)


def plan(
    backend: Backend,
    verb: Verb,
    target: Resource | Backup,
    options: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    deadline: timedelta,
) -> Operation:
    """Plan an operation; nothing is begun and nothing stored.

    Args:
        backend: who is to do it.
        verb: what to do.
        target: the resource to protect, or the backup to restore, delete or verify.
        options: by the backend's schema for this verb and type.
        now: the present instant.
        deadline: time for it, from now on.

    Returns:
        A planned operation, or, where the type is covered by something else, one that is over.

    Raises:
        Unsupported: the backend does not do this for this type.
        InvalidDocument: the options do not fit; all faults are named.
        InvalidInput: the deadline has passed before it began, or a member of a backup was to be
            deleted alone, or an id or a name cannot be.
        WrongBackend: the backup was made by another backend.
        WrongScope: the backup lives in another endpoint or project.
        BackendError: the backend cannot tell its scope now.
    """
    resource = target.resource if isinstance(target, Backup) else target
    if isinstance(target, Backup):
        check_backup(target)
    else:
        check_resource(resource)
    ability = backend.ability(resource.type, verb)
    if ability.support is Support.UNSUPPORTED:
        raise Unsupported(
            f"backend {backend.name} cannot {verb} {resource.type}: "
            f"{ability.reason or 'it does not declare it'}"
        )
    if deadline <= timedelta():
        raise InvalidInput(f"deadline {deadline}: give a time that is longer than nothing")
    if deadline > LONGEST_DURATION:
        raise InvalidInput(
            f"deadline of {deadline.days} days: give a time of at most {LONGEST_DURATION.days} days"
        )
    if isinstance(target, Backup):
        _check_origin(backend, target)
        if verb is Verb.DELETE and target.id != target.whole_id:
            raise InvalidInput(
                f"backup {target.id} is a member and cannot be deleted alone: "
                f"delete the whole, {target.whole_id}"
            )
    backend.check_options(resource.type, verb, options or {})
    covered = ability.support is Support.COVERED
    operation = Operation(
        id=str(uuid.uuid4()),
        verb=verb,
        backend=backend.name,
        implementation=backend.info.name,
        scope="" if covered else _require_scope(backend, target),
        resource=resource,
        options=dict(options or {}),
        backup=target if isinstance(target, Backup) else None,
        created_at=now,
        deadline=now + deadline,
    )
    return _finish_as_covered(operation, ability.covered_by) if covered else operation


def check_scope(what: str, theirs: str, backend: Backend, ours: str) -> None:
    """Refuse to go on with work of another endpoint or project.

    The backend's configuration may say that another scope is the same (``same_as``). An operation
    keeps its own scope, and its backup the one that it was made in, so both stay on record.

    Raises:
        WrongScope: it belongs elsewhere.
    """
    if theirs != ours and theirs not in backend.same_as:
        raise WrongScope(
            f"{what} belongs to {theirs}, but backend {backend.name} looks at {ours}: "
            "use the credentials and endpoint that it was made with, or, if that is the same "
            f'service under another name, say same_as = ["{theirs}"] in the configuration of '
            f"backend {backend.name}"
        )


def _check_origin(backend: Backend, backup: Backup) -> None:
    if backup.backend != backend.info.name:
        raise WrongBackend(
            f"backup {backup.id} was made by backend {backup.backend}, "
            f"and {backend.name} is a {backend.info.name}: name a backend of the right kind"
        )


def _require_scope(backend: Backend, target: Resource | Backup) -> str:
    scope = backend.scope()
    if isinstance(target, Backup):
        check_scope(f"backup {target.id}", target.scope, backend, scope)
    return scope


def _finish_as_covered(operation: Operation, covered_by: str) -> Operation:
    return attrs.evolve(
        operation,
        state=State.RELEASED,
        outcome=Outcome(Result.SUCCEEDED, covered=covered_by),
        ended_at=operation.created_at,
    )
