"""How an operation ends: its outcome, and the backup that it leaves. Pure, like the lifecycle."""

import functools
from datetime import datetime

import attrs

from karbor_backup_core._model import (
    Backup,
    Leftover,
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Result,
    Verb,
)

_UNDONE_WHEN_CANCELLED = (Verb.PROTECT, Verb.RESTORE, Verb.COPY)


def build_stop_outcome(operation: Operation) -> Outcome:
    """Return the outcome of an operation that a cancel or its deadline has stopped."""
    if operation.cancel_requested:
        return Outcome(Result.CANCELLED, reason="it was cancelled")
    reason = f"it was not done by its deadline, {operation.deadline:%Y-%m-%d %H:%M:%S} UTC"
    if operation.retry.last_error:
        reason = f"{reason}; what came last: {operation.retry.last_error}"
    return Outcome(Result.FAILED, reason=reason)


def build_stranded_outcome(operation: Operation) -> Outcome:
    """Return the outcome of an operation that was given up because its host is gone."""
    host = "" if operation.place is None else operation.place.host
    left = Leftover(
        "work outside", operation.id, f"what it made or does on host {host} stays there"
    )
    return Outcome(
        Result.FAILED, reason=f"it was given up: its work is on host {host}", leftovers=(left,)
    )


def build_outcome(operation: Operation, progress: Progress, now: datetime) -> Outcome:
    """Return the outcome of an operation whose work outside has ended as ``progress`` says."""
    result, reason = _result_and_reason(operation, progress)
    succeeded = result is Result.SUCCEEDED
    return Outcome(
        result=result,
        reason="" if succeeded else reason,
        resources=progress.resources,
        parts=progress.parts,
        checks=progress.checks,
        leftovers=progress.leftovers,
        backup=build_backup(operation, progress, now) if succeeded else None,
    )


def _result_and_reason(operation: Operation, progress: Progress) -> tuple[Result, str]:
    """Weigh what the service says against what was asked of it.

    What finished although it was cancelled is undone, where it can be; what finished after its
    deadline is a success all the same, since nobody asked for its removal.
    """
    match progress.state:
        case ProgressState.SUCCEEDED if (
            operation.cancel_requested and operation.verb in _UNDONE_WHEN_CANCELLED
        ):
            return Result.CANCELLED, "it was cancelled as it finished"
        case ProgressState.SUCCEEDED if any(
            p.result is not Result.SUCCEEDED for p in progress.parts
        ):
            return Result.FAILED, progress.reason or "a part of it did not succeed"
        case ProgressState.SUCCEEDED:
            return Result.SUCCEEDED, ""
        case ProgressState.CANCELLED if operation.cancel_sent and not operation.cancel_requested:
            stopped = build_stop_outcome(operation).reason
            known = progress.reason in stopped  # it may be what came last
            return Result.FAILED, stopped if known else f"{stopped}; {progress.reason}"
        case ProgressState.CANCELLED:
            return Result.CANCELLED, progress.reason or "it was cancelled"
        case _:
            return Result.FAILED, progress.reason or "the service gives no reason"


def build_backup(operation: Operation, progress: Progress, now: datetime) -> Backup | None:
    """Return the backup that an operation leaves, or what a verify now knows of the one it read."""
    source = operation.backup
    if operation.verb is Verb.VERIFY and source is not None:
        return attrs.evolve(source, checks=progress.checks)
    if not operation.makes_backup:
        return None
    build = functools.partial(
        Backup,
        backend=operation.implementation,
        scope=operation.scope,
        storage=progress.storage,
        # A copy is made of data that was protected then, in that way.
        created_at=now if source is None else source.created_at,
        options=operation.options if source is None else source.options,
        checks=progress.checks,
    )
    copied = "" if source is None else source.id
    members = tuple(
        build(
            id=f"{operation.id}/{each.resource.id}",
            resource=each.resource,
            handle=each.handle,
            copy_of=f"{copied}/{each.resource.id}" if copied else "",
        )
        for each in progress.members
    )
    return build(
        id=operation.id,
        resource=operation.resource,
        handle=progress.handle or {},
        members=members,
        copy_of=copied,
    )


def add_leftovers(
    operation: Operation, leftovers: tuple[Leftover, ...], *, replace: bool = False
) -> Operation:
    """Name in its outcome what an operation has left behind."""
    if operation.outcome is None:
        return operation
    kept = () if replace else tuple(x for x in operation.outcome.leftovers if x not in leftovers)
    named = (*kept, *leftovers)
    if named == operation.outcome.leftovers:
        return operation
    return attrs.evolve(operation, outcome=attrs.evolve(operation.outcome, leftovers=named))
