"""The words in which people are told how an operation ended."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from karbor_backup_core._model import Operation, Result


def describe_result(result: "Result", reason: str) -> str:
    """Return a result with its reason, without the result's own word said twice.

    Services write reasons such as "failed" or "it was cancelled by an operator".

    Args:
        result: how an operation or a part of one ended.
        reason: why, in one line; may be empty.

    Returns:
        Text such as ``failed: the disk is full``, or the result alone.
    """
    said = re.match(rf"(it |was |has |is )*{result}\b", reason, re.IGNORECASE)
    more = reason[said.end() :].lstrip(":;,. ") if said else reason
    return f"{result}: {more}" if more else str(result)


def describe_end(operation: "Operation") -> str:
    """Return how an operation ended, in one line, with everything that it left behind.

    Returns:
        Text such as ``failed: the disk is full; left behind: job 4f2 (remove it by hand)``.
    """
    outcome = operation.outcome
    if outcome is None:
        text = f"it has not ended: it is {operation.state}"
    else:
        text = describe_result(outcome.result, outcome.reason)
        if operation.result is None:
            how = "suspended" if operation.suspended else "not released yet"
            text = f"{text}; it is {how}"
    left = [_describe_leftover(each.kind, each.id, each.note) for each in operation.leftovers]
    return f"{text}; left behind: {', '.join(left)}" if left else text


def _describe_leftover(kind: str, identifier: str, note: str) -> str:
    return f"{kind} {identifier} ({note})" if note else f"{kind} {identifier}"
