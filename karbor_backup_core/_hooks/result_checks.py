"""What a backend answers, checked and with its secrets taken out before anybody reads it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

import attrs

from karbor_backup_core._errors import (
    ContractViolation,
    InvalidDocument,
    InvalidInput,
    truncate_faults,
)
from karbor_backup_core._hooks.registration import check_contract_version
from karbor_backup_core._hooks.text_sanitizer import sanitize_text
from karbor_backup_core._identifiers import SHARED_NAME_LIMIT, check_resource, check_text
from karbor_backup_core._model import (
    BackendInfo,
    Health,
    Operation,
    Place,
    Progress,
    ProgressState,
    SharedResource,
    Support,
)
from karbor_backup_core._serialization.fast_check import check_annotations
from karbor_backup_core.secrets import Secret, redact

T = TypeVar("T")

VERB_STATES: Final = frozenset(ProgressState) - {ProgressState.UNKNOWN}
RELEASE_STATES: Final = VERB_STATES - {ProgressState.CANCELLED}
POLL_STATES: Final = frozenset(ProgressState)


def check_progress(
    what: str, answer: Any, operation: Operation, states: Collection[ProgressState]
) -> Progress:
    """Return a hook's answer if it is a ``Progress`` that the contract allows here.

    Args:
        what: which hook of which backend answered, in words.
        answer: what it answered.
        operation: for which operation.
        states: the states that this hook may answer.

    Raises:
        ContractViolation: it is anything else; the message holds no value of it.
    """
    progress = check_type(what, answer, Progress)
    if progress.state not in states:
        raise ContractViolation(f"{what} answered {progress.state}, which is no answer to it")
    succeeded = progress.state is ProgressState.SUCCEEDED
    ending = states is not RELEASE_STATES and operation.outcome is None
    if succeeded and ending and operation.makes_backup and progress.handle is None:
        raise ContractViolation(
            f"{what} answered succeeded without a handle: nothing could be restored"
        )
    if states is POLL_STATES and progress.receipt not in (None, operation.receipt):
        raise ContractViolation(
            f"{what} answered another receipt: only a verb or release may change it"
        )
    _check_names(what, progress)
    return progress


def _check_names(what: str, progress: Progress) -> None:
    """Let pass the names from which a backup is made: it would be kept, and then not be read."""
    try:
        check_text("storage", progress.storage)
        for member in progress.members:
            check_resource(member.resource)
    except InvalidInput as error:
        raise ContractViolation(f"{what} answered what cannot be stored: {error}") from None


def check_type(what: str, answer: Any, cls: type[T]) -> T:
    """Return an instance of one of the model's classes whose attributes are of their types.

    Raises:
        ContractViolation: it is None, something else, or holds something else.
    """
    if not isinstance(answer, cls):
        raise _wrong_kind_error(what, answer, cls.__name__)
    try:
        check_annotations(answer)
    except InvalidDocument as error:
        raise ContractViolation(
            f"{what} answered a faulty {cls.__name__}: {'; '.join(truncate_faults(error.faults))}"
        ) from None
    return answer


def _wrong_kind_error(what: str, answer: Any, wanted: str) -> ContractViolation:
    kind = "None" if answer is None else f"a {type(answer).__name__}"
    return ContractViolation(f"{what} answered {kind}: it must answer a {wanted}")


def check_dependents(what: str, answer: Any) -> Sequence[str]:
    """Return the names of dependents if they are texts.

    Raises:
        ContractViolation: the answer is anything but a list or tuple of texts that say something.
    """
    if not isinstance(answer, list | tuple):
        raise _wrong_kind_error(what, answer, "list of names")
    if not all(isinstance(each, str) and each for each in answer):
        raise ContractViolation(f"{what} answered what is no name")
    return answer


def check_shared_resources(what: str, answer: Any) -> tuple[SharedResource, ...]:
    """Return shared resources if the contract allows them.

    Raises:
        ContractViolation: the answer is anything but a list or tuple of shared resources, or one
            has no name, one that cannot be stored, or the name of another one.
    """
    if not isinstance(answer, list | tuple):
        raise _wrong_kind_error(what, answer, "list of SharedResource")
    shared = tuple(check_type(what, each, SharedResource) for each in answer)
    names = {each.name for each in shared}
    if "" in names or len(names) < len(shared):
        raise ContractViolation(f"{what} answered resources without a name, or one of them twice")
    try:
        for name in names:
            check_text("shared resource", name, SHARED_NAME_LIMIT)
    except InvalidInput as error:
        raise ContractViolation(f"{what} answered what cannot be stored: {error}") from None
    return shared


def check_place(what: str, answer: Any) -> Place | None:
    """Return a place if the contract allows it, or None where the backend names none.

    Raises:
        ContractViolation: it is no place, has no id or no host, or one that cannot be stored.
    """
    if answer is None:
        return None
    place = check_type(what, answer, Place)
    try:
        check_text("id", place.id)
        check_text("host", place.host)
    except InvalidInput as error:
        raise ContractViolation(f"{what} answered what cannot be stored: {error}") from None
    if not place.id or not place.host:
        raise ContractViolation(f"{what} answered a place without id or host")
    return place


def check_info(what: str, answer: Any) -> BackendInfo:
    """Return a backend's description of itself if the contract allows it.

    Raises:
        ContractViolation: it is no description, names nobody, or covers without saying by what.
        BackendUnavailable: it was written for another contract.
    """
    info = check_type(what, answer, BackendInfo)
    check_contract_version(what, info.contract)
    faults = [] if info.name and info.version else ["name and version must not be empty"]
    faults += [
        f"{verb} of {resource_type} is covered: say in covered_by by what"
        for resource_type, verbs in info.abilities.items()
        for verb, ability in verbs.items()
        if ability.support is Support.COVERED and not ability.covered_by
    ]
    faults += [
        f"maintenance {action!r} is covered: it is supported or not"
        for action, ability in info.maintenance.items()
        if ability.support is Support.COVERED
    ]
    if info.work_limit is not None and info.work_limit < 1:
        faults.append(f"work_limit {info.work_limit} lets nothing begin: give 1 or more, or None")
    if faults:
        raise ContractViolation(f"{what}: {'; '.join(truncate_faults(faults))}")
    return info


def sanitize_progress(progress: Progress, secrets: Collection[Secret]) -> Progress:
    """Return a progress whose texts for people hold none of these secrets, and are not endless."""
    if not (progress.reason or progress.parts or progress.checks or progress.leftovers):
        return progress  # as of most work that runs, at each poll
    return attrs.evolve(
        progress,
        reason=sanitize_text(progress.reason, secrets),
        parts=_sanitize_items(progress.parts, "reason", secrets),
        checks=_sanitize_items(progress.checks, "reason", secrets),
        leftovers=_sanitize_items(progress.leftovers, "note", secrets),
    )


def sanitize_health(health: Health, secrets: Collection[Secret]) -> Health:
    """Return a health whose texts hold none of these secrets, and whose summary is not endless."""
    return attrs.evolve(
        health,
        summary=sanitize_text(health.summary, secrets),
        details=_redact_value(health.details, secrets),
    )


def _sanitize_items(
    items: Iterable[Any], text: str, secrets: Collection[Secret]
) -> tuple[Any, ...]:
    return tuple(
        attrs.evolve(item, **{text: sanitize_text(getattr(item, text), secrets)}) for item in items
    )


def _redact_value(value: Any, secrets: Collection[Secret]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, list | tuple):
        return [_redact_value(inner, secrets) for inner in value]
    if isinstance(value, dict):
        return {
            redact(name, secrets): _redact_value(inner, secrets) for name, inner in value.items()
        }
    return value
