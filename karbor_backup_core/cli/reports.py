"""What a person, or a program, is told of an operation that has come to its end."""

from collections.abc import Iterator
from typing import Final

from karbor_backup_core.cli.failures import PROGRAM, Failed, NothingStored
from karbor_backup_core.cli.output import answering, emit_json, emit_lines
from karbor_backup_core.cli.streams import write_error
from karbor_backup_core.cli.text import moment, status, subject, title
from karbor_backup_core.documents import to_document
from karbor_backup_core.errors import InvalidInput
from karbor_backup_core.escaping import printable
from karbor_backup_core.model import Check, Operation, Outcome, Part, Result, State, Verb

_DONE: Final = {
    Verb.PROTECT: "protected",
    Verb.RESTORE: "restored",
    Verb.DELETE: "deleted the backup of",
    Verb.VERIFY: "verified the backup of",
}


def report(operation: Operation, *, as_json: bool, wanted: Result = Result.SUCCEEDED) -> None:
    """Tell how an operation ended.

    Args:
        operation: released, or parked.
        as_json: answer with its document.
        wanted: the result that the person asked for.

    Raises:
        Failed: it ended in another way, or it is not released.
        NothingStored: its type is covered by another resource, so that there is no backup.
        InvalidInput: the backend refused it before anything was begun.
    """
    if operation.outcome is not None and operation.outcome.refused:
        raise InvalidInput(operation.outcome.reason)
    with answering(ending_line(operation), failed=not is_done(operation, wanted)):
        if as_json:
            emit_json(to_document(operation))
        else:
            tell(operation)
    if not is_done(operation, wanted):
        raise Failed
    if operation.outcome is not None and operation.outcome.covered:
        raise NothingStored


def is_done(operation: Operation, wanted: Result = Result.SUCCEEDED) -> bool:
    """Whether it ended as wanted, with everything cleaned up."""
    outcome = operation.outcome
    return outcome is not None and outcome.result is wanted and operation.state is State.RELEASED


def tell(operation: Operation) -> None:
    """Write for a person: success on the standard output, all else on the standard error."""
    outcome = operation.outcome
    if outcome is not None and outcome.covered:
        write_error(f"{PROGRAM}: {_covered(operation, outcome.covered)}")
    elif outcome is not None and outcome.result is Result.SUCCEEDED:
        emit_lines(_success(operation, outcome))
    else:
        write_error(f"{PROGRAM}: {_failure(operation, outcome)}")
    for line in _left(operation, outcome):
        write_error(line)


def _success(operation: Operation, outcome: Outcome) -> Iterator[str]:
    yield f"{_DONE[operation.verb]} {title(operation.resource)}"
    yield f"  backup    {printable(operation.backup_id)}"
    if operation.verb is Verb.PROTECT and (name := operation.options.get("backup_name")):
        yield f"  name      {printable(str(name))}"
    for restored in outcome.resources:
        yield f"  restored  {title(restored)}"
    for part in outcome.parts:
        yield f"  part      {part_line(part)}"
    for check in _checks(outcome):
        yield f"  {check_line(check)}"


def _covered(operation: Operation, by: str) -> str:
    return (
        f"nothing was stored, and {title(operation.resource)} was not looked for: "
        f"{operation.resource.type} is covered by {printable(by)}; {operation.verb} that"
    )


def ending_line(operation: Operation) -> str:
    """Say in a line how an operation ended, with the ids of what there is now."""
    backup = f", backup {operation.backup_id}" if operation.backup_id else ""
    return (
        f"{subject(operation)} {_how(operation.outcome)} "
        f"(operation {printable(operation.id)}{printable(backup)})"
    )


def over_line(operation: Operation) -> str:
    """Say that an operation had come to its end before anybody asked to go on with it."""
    since = f" since {moment(operation.ended_at)}" if operation.ended_at is not None else ""
    return (
        f"nothing to resume: operation {operation.id} ({subject(operation)}) is over{since}: "
        f"{status(operation)}"
    )


def _checks(outcome: Outcome) -> tuple[Check, ...]:
    if outcome.backup is not None and not outcome.checks:
        return outcome.backup.checks
    return outcome.checks


def part_line(part: Part) -> str:
    """Say how one member ended, and what it was restored as."""
    became = f", now {title(part.restored)}" if part.restored is not None else ""
    reason = f": {printable(part.reason)}" if part.reason else ""
    return f"{title(part.resource)}: {part.result}{became}{reason}"


def check_line(check: Check) -> str:
    """Say what is known of one property of a backup."""
    if check.verified:
        return f"verified      {printable(check.name)}"
    return f"not verified  {printable(check.name)}: {printable(check.reason)}"


def _failure(operation: Operation, outcome: Outcome | None) -> str:
    return f"{subject(operation)} {_how(outcome)} (operation {operation.id})"


def _how(outcome: Outcome | None) -> str:
    """Say how it ended, and why where the reason says more than that."""
    if outcome is None:
        return "did not end"
    reason = printable(outcome.reason).removeprefix(f"it was {outcome.result}").lstrip(":; ")
    return f"{outcome.result}: {reason}" if reason else str(outcome.result)


def _left(operation: Operation, outcome: Outcome | None) -> Iterator[str]:
    for part in outcome.parts if outcome is not None else ():
        yield f"  part      {part_line(part)}"
    for leftover in outcome.leftovers if outcome is not None else ():
        note = f": {printable(leftover.note)}" if leftover.note else ""
        yield f"  left behind: {printable(leftover.kind)} {printable(leftover.id)}{note}"
    if operation.parked:
        yield f"  not cleaned up yet; to go on: karbor-backup resume {operation.id}"
