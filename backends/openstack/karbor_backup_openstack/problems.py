"""A refusal with its reasons."""

from collections.abc import Sequence
from typing import Final

from karbor_backup_core import InvalidInput

_MAX_PROBLEMS: Final = 10


def raise_for_problems(problems: Sequence[str]) -> None:
    """Refuse what has faults, and name them in one line.

    Raises:
        InvalidInput: there are any.
    """
    found = [problem for problem in problems if problem]
    if not found:
        return
    more = f"; and {len(found) - _MAX_PROBLEMS} more" if len(found) > _MAX_PROBLEMS else ""
    raise InvalidInput("; ".join(found[:_MAX_PROBLEMS]) + more)
