"""A refusal with its reasons."""

from collections.abc import Sequence
from typing import Final

from karbor_backup_core import InvalidInput

_TOLD: Final = 10


def refuse_if(faults: Sequence[str]) -> None:
    """Refuse what has faults, and name them in one line.

    Raises:
        InvalidInput: there are any.
    """
    found = [fault for fault in faults if fault]
    if not found:
        return
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    raise InvalidInput("; ".join(found[:_TOLD]) + more)
