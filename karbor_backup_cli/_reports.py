"""What a person, or a program, is told of an operation that has come to its end."""

from collections.abc import Iterator
from typing import Final

from karbor_backup_cli._errors import PROGRAM, CommandFailed, NothingStored
from karbor_backup_cli._formatting import (
    format_reason,
    format_resource,
    format_status,
    format_subject,
    format_time,
)
from karbor_backup_cli._output import emit_json, emit_lines, reporting_lost_output
from karbor_backup_cli._streams import write_error
from karbor_backup_core import (
    Check,
    InvalidInput,
    Operation,
    Outcome,
    Part,
    Result,
    Verb,
    describe_result,
    printable,
)
from karbor_backup_core.documents import to_document

_VERB_MESSAGES: Final = {
    Verb.PROTECT: "protected",
    Verb.RESTORE: "restored",
    Verb.DELETE: "deleted the backup of",
    Verb.VERIFY: "verified the backup of",
    Verb.COPY: "copied the backup of",
}


def report_result(
    operation: Operation, *, as_json: bool, wanted: Result = Result.SUCCEEDED
) -> None:
    """Tell how an operation ended.

    Args:
        operation: released, or suspended.
        as_json: answer with its document.
        wanted: the result that the person asked for.

    Raises:
        Failed: it ended in another way, or it is not released.
        NothingStored: its type is covered by another resource, so that there is no backup.
        InvalidInput: the backend refused it before anything was begun.
    """
    if operation.outcome is not None and operation.outcome.refused:
        raise InvalidInput(operation.outcome.reason)
    with reporting_lost_output(format_result(operation), failed=operation.result is not wanted):
        if as_json:
            emit_json(to_document(operation))
        else:
            print_result(operation)
    if operation.result is not wanted:
        raise CommandFailed
    if operation.outcome is not None and operation.outcome.covered:
        raise NothingStored


def print_result(operation: Operation) -> None:
    """Write for a person: success on the standard output, all else on the standard error."""
    outcome = operation.outcome
    if outcome is not None and outcome.covered:
        write_error(f"{PROGRAM}: {_covered_message(operation, outcome.covered)}")
    elif outcome is not None and operation.work_succeeded:
        emit_lines(_success_lines(operation, outcome))
    else:
        write_error(f"{PROGRAM}: {_failure_message(operation, outcome)}")
    for line in _leftover_lines(operation, outcome):
        write_error(line)


def _success_lines(operation: Operation, outcome: Outcome) -> Iterator[str]:
    if operation.action:
        yield f"maintained {printable(operation.scope)}: {printable(operation.action)}"
    else:
        yield f"{_VERB_MESSAGES[operation.verb]} {format_resource(operation.resource)}"
        yield f"  backup    {printable(_backup_id(operation))}"
    if operation.verb is Verb.COPY:
        yield f"  copy of   {printable(operation.backup_id)}"
    if operation.verb is Verb.PROTECT and (name := operation.options.get("backup_name")):
        yield f"  name      {printable(str(name))}"
    for restored in outcome.resources:
        yield f"  restored  {format_resource(restored)}"
    for part in outcome.parts:
        yield f"  part      {format_part(part)}"
    for check in _checks_of(outcome):
        yield f"  {format_check(check)}"


def _backup_id(operation: Operation) -> str:
    """Return the id of the backup that an operation makes, or else of the one it works on."""
    return operation.id if operation.makes_backup else operation.backup_id


def _covered_message(operation: Operation, by: str) -> str:
    return (
        f"nothing was stored, and {format_resource(operation.resource)} was not looked for: "
        f"{operation.resource.type} is covered by {printable(by)}; {operation.verb} that"
    )


def format_result(operation: Operation) -> str:
    """Describe in a line how an operation ended, with the ids of what there is now."""
    backup = "" if operation.action else f", backup {_backup_id(operation)}"
    return (
        f"{format_subject(operation)} {_describe_outcome(operation.outcome)} "
        f"(operation {printable(operation.id)}{printable(backup)})"
    )


def format_already_ended(operation: Operation) -> str:
    """Describe an operation that had ended before anybody asked to resume it."""
    since = f" since {format_time(operation.ended_at)}" if operation.ended_at is not None else ""
    return (
        f"nothing to resume: operation {operation.id} ({format_subject(operation)}) "
        f"is over{since}: {format_status(operation)}"
    )


def _checks_of(outcome: Outcome) -> tuple[Check, ...]:
    if outcome.backup is not None and not outcome.checks:
        return outcome.backup.checks
    return outcome.checks


def format_part(part: Part) -> str:
    """Describe how one member ended, and what it was restored as."""
    became = f", now {format_resource(part.restored)}" if part.restored is not None else ""
    said = describe_result(part.result, format_reason(part.reason))
    return f"{format_resource(part.resource)}: {said}{became}"


def format_check(check: Check) -> str:
    """Describe what is known of one property of a backup."""
    if check.verified:
        return f"verified      {printable(check.name)}"
    return f"not verified  {printable(check.name)}: {format_reason(check.reason)}"


def _failure_message(operation: Operation, outcome: Outcome | None) -> str:
    return f"{format_subject(operation)} {_describe_outcome(outcome)} (operation {operation.id})"


def _describe_outcome(outcome: Outcome | None) -> str:
    """Describe how it ended, and why where the reason says more than that."""
    if outcome is None:
        return "did not end"
    return describe_result(outcome.result, format_reason(outcome.reason))


def _leftover_lines(operation: Operation, outcome: Outcome | None) -> Iterator[str]:
    for part in outcome.parts if outcome is not None else ():
        yield f"  part      {format_part(part)}"
    for leftover in operation.leftovers:
        note = f": {format_reason(leftover.note)}" if leftover.note else ""
        yield f"  left behind: {printable(leftover.kind)} {printable(leftover.id)}{note}"
    if operation.suspended:
        yield f"  not cleaned up yet; to go on: karbor-backup resume {operation.id}"
