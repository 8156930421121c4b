"""Plans operations: whatever can be refused is refused here, before anything is stored."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from karbor_backup_core._backend import Backend
from karbor_backup_core._clock import system_clock
from karbor_backup_core._errors import InvalidInput
from karbor_backup_core._identifiers import check_operation
from karbor_backup_core._lifecycle.policy import Policy
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
from karbor_backup_core._requests import (
    check_ability,
    check_deadline,
    check_dependents,
    check_instant,
    check_origin,
    check_scope,
    check_target,
    copy_options,
    needs_backup,
)
from karbor_backup_core._serialization.fast_check import check_annotations
from karbor_backup_core._verbs import to_verb


def plan_protect(
    backend: Backend,
    resource: Resource,
    options: Mapping[str, Any] | None = None,
    *,
    deadline: timedelta | None = None,
    now: datetime | None = None,
) -> Operation:
    """Plan to protect a resource. Nothing is stored or started; ``Runner.submit`` does that.

    Args:
        backend: the backend to use.
        resource: the resource to protect.
        options: the options, by the backend's schema for this verb and type.
        deadline: time for the operation, from its submission on; that of the default ``Policy``
            if None.
        now: the present instant, in UTC; the machine's time if None.

    Returns:
        A planned operation. Where the type is covered by another resource, it is released already.

    Raises:
        Unsupported: the backend does not do this for this type.
        InvalidDocument: the options do not fit; all faults are named.
        InvalidInput: an argument is of another kind than it should be, the deadline is not
            positive, or an id or a name cannot be.
        BackendError: the backend cannot tell its scope now.
    """
    return plan_operation(backend, Verb.PROTECT, resource, options, deadline=deadline, now=now)


def plan_restore(
    backend: Backend,
    backup: Backup,
    options: Mapping[str, Any] | None = None,
    *,
    deadline: timedelta | None = None,
    now: datetime | None = None,
) -> Operation:
    """Plan to restore a backup, or a member of one. Nothing is stored or started.

    Args:
        backend: the backend to use, of the kind that made the backup.
        backup: the backup to restore.
        options: as for ``plan_protect``.
        deadline: as for ``plan_protect``.
        now: as for ``plan_protect``.

    Returns:
        As ``plan_protect``.

    Raises:
        KarborBackupError: as ``plan_protect``.
        WrongBackend: the backup was made by another backend.
        WrongScope: the backup belongs to another endpoint or project.
    """
    return plan_operation(backend, Verb.RESTORE, backup, options, deadline=deadline, now=now)


def plan_delete(
    backend: Backend,
    backup: Backup,
    options: Mapping[str, Any] | None = None,
    *,
    deadline: timedelta | None = None,
    now: datetime | None = None,
) -> Operation:
    """Plan to delete a backup. Nothing is stored or started.

    Args:
        backend: the backend to use, of the kind that made the backup.
        backup: the whole backup to delete; a member cannot be deleted alone.
        options: as for ``plan_protect``.
        deadline: as for ``plan_protect``.
        now: as for ``plan_protect``.

    Returns:
        As ``plan_protect``.

    Raises:
        KarborBackupError: as ``plan_restore``.
        HasDependents: others cannot be restored without the backup; they are named.
    """
    return plan_operation(backend, Verb.DELETE, backup, options, deadline=deadline, now=now)


def plan_verify(
    backend: Backend,
    backup: Backup,
    options: Mapping[str, Any] | None = None,
    *,
    deadline: timedelta | None = None,
    now: datetime | None = None,
) -> Operation:
    """Plan to check whether a backup can be restored. Nothing is stored or started.

    Args:
        backend: the backend to use, of the kind that made the backup.
        backup: the backup to verify.
        options: as for ``plan_protect``.
        deadline: as for ``plan_protect``.
        now: as for ``plan_protect``.

    Returns:
        As ``plan_protect``.

    Raises:
        KarborBackupError: as ``plan_restore``.
    """
    return plan_operation(backend, Verb.VERIFY, backup, options, deadline=deadline, now=now)


def plan_copy(
    backend: Backend,
    backup: Backup,
    options: Mapping[str, Any] | None = None,
    *,
    deadline: timedelta | None = None,
    now: datetime | None = None,
) -> Operation:
    """Plan to make a second backup of a first one, in the place that a backend uses.

    Nothing is stored or started.

    Args:
        backend: the backend that is to have the copy, and from which that is restored. It is of the
            kind that made the backup, and its configuration says how the backup is read.
        backup: the whole backup to copy, which another backend of this kind made.
        options: as for ``plan_protect``.
        deadline: as for ``plan_protect``.
        now: as for ``plan_protect``.

    Returns:
        As ``plan_protect``. The backup that its success leaves has the operation's id.

    Raises:
        KarborBackupError: as ``plan_protect``.
        WrongBackend: the backup was made by a backend of another kind.
    """
    return plan_operation(backend, Verb.COPY, backup, options, deadline=deadline, now=now)


def plan_maintenance(
    backend: Backend,
    action: str,
    options: Mapping[str, Any] | None = None,
    *,
    deadline: timedelta | None = None,
    now: datetime | None = None,
) -> Operation:
    """Plan maintenance of what all backups of a backend share. Nothing is stored or started.

    Args:
        backend: the backend to use.
        action: one of ``BackendInfo.maintenance``, such as "prune".
        options: the options, by the backend's schema for this action.
        deadline: as for ``plan_protect``.
        now: as for ``plan_protect``.

    Returns:
        A planned operation, whose verb is ``maintain``.

    Raises:
        Unsupported: the backend does not do this.
        KarborBackupError: as ``plan_protect``.
    """
    if not isinstance(action, str):
        raise InvalidInput(f"action {action!r}: give a text")
    check_ability(backend, Verb.MAINTAIN, action)
    target = Resource(action, backend.scope())
    return plan_operation(backend, Verb.MAINTAIN, target, options, deadline=deadline, now=now)


def plan_operation(
    backend: Backend,
    verb: Verb,
    target: Resource | Backup,
    options: Mapping[str, Any] | None = None,
    *,
    deadline: timedelta | None = None,
    now: datetime | None = None,
) -> Operation:
    """Plan an operation after every check that needs no store.

    Raises:
        KarborBackupError: as ``plan_protect`` and ``plan_restore``.
    """
    verb = to_verb(verb)
    resource = check_target(verb, target)
    ability = check_ability(backend, verb, resource.type)
    time_allowed = Policy().deadline if deadline is None else deadline
    check_deadline(time_allowed)
    if isinstance(target, Backup):
        check_origin(backend, target)
    copied = copy_options(backend, verb, resource.type, options)
    covered = ability.support is Support.COVERED
    created = system_clock() if now is None else now
    check_instant(created)
    operation = Operation(
        id=str(uuid.uuid4()),
        verb=verb,
        backend=backend.name,
        implementation=backend.info.name,
        scope="" if covered else _require_scope(backend, verb, target),
        resource=resource,
        options=copied,
        backup=target if isinstance(target, Backup) else None,
        created_at=created,
        deadline=created + time_allowed,
    )
    if covered:
        return _finish_as_covered(operation, ability.covered_by)
    if verb is Verb.DELETE and isinstance(target, Backup):
        check_dependents(backend, target)
    shared = backend.shared_resources(operation)
    return attrs.evolve(operation, shared_resources=shared) if shared else operation


def prepare_submission(backend: Backend, operation: Operation, now: datetime) -> Operation:
    """Return a planned operation whose time runs from ``now`` on, after the checks of planning.

    It may have been planned long ago, by another process, by another clock or by hand.

    Raises:
        InvalidInput: it is not as ``plan_operation`` makes it.
        KarborBackupError: whatever ``plan_operation`` refuses.
    """
    check_annotations(operation)
    check_operation(operation)
    time_allowed = operation.deadline - operation.created_at
    planned = plan_operation(
        backend,
        operation.verb,
        # Its annotation allows None for the backup; planning refuses it.
        operation.backup if needs_backup(operation.verb) else operation.resource,  # type: ignore[arg-type]
        operation.options,
        deadline=time_allowed,
        now=operation.created_at,
    )
    check_scope(f"operation {operation.id}", operation.scope, backend, planned.scope)
    # What it shares is told anew: an earlier release has not asked for it.
    operation = attrs.evolve(operation, shared_resources=planned.shared_resources)
    if attrs.evolve(planned, id=operation.id, scope=operation.scope) != operation:
        raise InvalidInput(
            f"operation {operation.id} is not as it was planned (it is {operation.state}): "
            "plan another one, or resume it if it is stored"
        )
    return restart_time(operation, now)


def restart_time(operation: Operation, now: datetime) -> Operation:
    """Return a planned operation whose time runs from another instant on."""
    if operation.finished:
        return operation
    return attrs.evolve(
        operation, created_at=now, deadline=now + (operation.deadline - operation.created_at)
    )


def _require_scope(backend: Backend, verb: Verb, target: Resource | Backup) -> str:
    """Return the backend's scope, to which a backup belongs that it works on.

    One that is copied comes from elsewhere: whether it can be read is for the backend to say.
    """
    scope = backend.scope()
    if isinstance(target, Backup) and verb is not Verb.COPY:
        check_scope(f"backup {target.id}", target.scope, backend, scope)
    return scope


def _finish_as_covered(operation: Operation, covered_by: str) -> Operation:
    return attrs.evolve(
        operation,
        state=State.RELEASED,
        outcome=Outcome(Result.SUCCEEDED, covered=covered_by),
        ended_at=operation.created_at,
    )
