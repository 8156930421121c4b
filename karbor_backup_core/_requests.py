"""Checks of what a program asks for: verb, target, options and deadline.

Annotations bind nobody at run time, so whatever is of another type is refused here, with a message,
rather than stored and found by a worker thread.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from karbor_backup_core._backend import Backend
from karbor_backup_core._errors import (
    BackendError,
    HasDependents,
    InvalidDocument,
    InvalidInput,
    WrongBackend,
    WrongPlace,
    WrongScope,
)
from karbor_backup_core._identifiers import check_backup, check_resource
from karbor_backup_core._lifecycle.policy import LONGEST_DURATION
from karbor_backup_core._model import Ability, Backup, Json, Operation, Resource, Verb
from karbor_backup_core._serialization.fast_check import check_annotations

_PARTICIPLES: Final = {Verb.DELETE: "deleted", Verb.COPY: "copied"}
"""The verbs that work on a whole backup only."""


def check_target(verb: Verb, target: Resource | Backup) -> Resource:
    """Return the resource that an operation works on, or from which its backup was made.

    Raises:
        InvalidInput: the verb needs the other kind of target, the backup is a member that is to
            be deleted or copied alone, or an id or a name cannot be.
        InvalidDocument: an attribute of the target is of another type than it should be.
    """
    wanted = Backup if needs_backup(verb) else Resource
    if not isinstance(target, wanted):
        article = "a backup" if needs_backup(verb) else "a resource"
        raise InvalidInput(
            f"{verb} takes {article} (a {wanted.__name__}), not a {type(target).__name__}"
        )
    check_annotations(target)
    if not isinstance(target, Backup):
        check_resource(target)
        if not target.id:
            raise InvalidInput(f"{target.type} without an id: give the id of the resource")
        return target
    check_backup(target)
    if verb in _PARTICIPLES and target.id != target.whole_id:
        raise InvalidInput(
            f"backup {target.id} is a member and cannot be {_PARTICIPLES[verb]} alone: "
            f"{verb} the whole, {target.whole_id}"
        )
    return target.resource


def needs_backup(verb: Verb) -> bool:
    """Return whether operations of a verb work on a backup."""
    return verb not in (Verb.PROTECT, Verb.MAINTAIN)


def check_ability(backend: Backend, verb: Verb, resource_type: str) -> Ability:
    """Return what a backend declares for a verb and a type.

    Raises:
        InvalidInput: ``backend`` is no ``Backend``.
        Unsupported: the backend does not do this for this type.
    """
    if not isinstance(backend, Backend):
        raise InvalidInput(
            f"backend {backend!r}: give a Backend; a runner takes the name that it knows one by"
        )
    return backend.require_ability(resource_type, verb)


def copy_options(
    backend: Backend, verb: Verb, resource_type: str, options: Mapping[str, Any] | None
) -> Json:
    """Return a copy of the options, at any depth, after the check against their schema.

    Raises:
        InvalidDocument: they do not fit; all faults are named.
    """
    from karbor_backup_core._serialization.json_values import to_plain_json

    given = {} if options is None else options
    if not isinstance(given, Mapping):
        what = f"options for {verb} of {resource_type} with backend {backend.name}"
        raise InvalidDocument(what, [f"$: expected an object, got {type(given).__name__}"])
    backend.check_options(resource_type, verb, given)
    copy: Json = to_plain_json(given)
    return copy


def check_deadline(deadline: timedelta) -> None:
    """Check the time that an operation is given.

    Raises:
        InvalidInput: it is no ``timedelta``, is not positive or is too long.
    """
    if not isinstance(deadline, timedelta):
        raise InvalidInput(f"deadline {deadline!r}: give a datetime.timedelta")
    if deadline <= timedelta():
        raise InvalidInput(f"deadline {deadline}: give a positive duration")
    if deadline > LONGEST_DURATION:
        raise InvalidInput(
            f"deadline of {deadline.days} days: give a time of at most {LONGEST_DURATION.days} days"
        )


def check_instant(now: datetime) -> None:
    """Check the instant at which an operation is planned.

    Raises:
        InvalidInput: it is no ``datetime`` with a time zone.
    """
    if not isinstance(now, datetime) or now.tzinfo is None:
        raise InvalidInput(f"now {now!r}: give a datetime.datetime with its zone, in UTC")


def check_origin(backend: Backend, backup: Backup) -> None:
    """Check that a backup was made by a backend of this kind.

    Raises:
        WrongBackend: it was not.
    """
    if backup.backend != backend.info.name:
        raise WrongBackend(
            f"backup {backup.id} was made by backend {backup.backend}, "
            f"and {backend.name} is a {backend.info.name}: name a backend of the right kind"
        )


def check_dependents(backend: Backend, backup: Backup) -> None:
    """Refuse to delete a backup without which others cannot be restored.

    Raises:
        HasDependents: there are such others, which are named.
        BackendError: it cannot be told whether there are, or not now (``Transient``).
    """
    if dependents := backend.dependents(backup):
        raise HasDependents(backup.id, dependents)


def check_place(operation: Operation, backend: Backend) -> None:
    """Refuse to go on with work that cannot be seen from here.

    Raises:
        WrongPlace: the work is bound to another host.
    """
    if operation.place is not None and not is_here(operation, backend):
        raise WrongPlace(operation.id, operation.place.host)


def is_here(operation: Operation, backend: Backend) -> bool:
    """Return whether the work of an operation can be seen from here."""
    if operation.place is None:
        return True
    try:
        here = backend.place()
    except (BackendError, InvalidInput):
        # Where nothing can be begun, nothing was.
        return False
    return here is not None and here.id == operation.place.id


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
