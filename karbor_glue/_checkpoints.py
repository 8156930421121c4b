"""The checkpoints of a provider, as Karbor's bank and Karbor's database know them."""

from collections.abc import Collection, Iterator
from typing import Any, Final

import attrs
from karbor.common import constants

from karbor_glue._bank_objects import bank_errors, read_object

_INDEX: Final = "the index"


@attrs.frozen
class FoundCheckpoint:
    """A checkpoint that was found.

    Attributes:
        id: its id.
        checkpoint: Karbor's ``InMemoryCheckpoint``; None if it cannot be read.
        problem: why it cannot be read.
    """

    id: str
    checkpoint: Any = None
    problem: str = ""


def find_checkpoints(provider: Any, logged: Collection[str]) -> Iterator[FoundCheckpoint]:
    """Yield the checkpoints of a provider, in the order of their ids.

    Karbor lists them by what the bank lists, which may be out of date. So those that Karbor's log
    of operations names are looked for too, and a deleted one counts only while it is in the index.

    Args:
        provider: Karbor's provider.
        logged: the ids of checkpoints that Karbor's log of operations names.

    Raises:
        StoreError: the bank cannot be used.
    """
    index = provider.bank.get_sub_section("/indices")
    with bank_errors("list the checkpoints"):
        names = index.list_objects(prefix=f"/by-provider/{provider.id}/")
    listed = {name.rpartition("@")[2]: name for name in names}
    for each in sorted({*listed, *logged}):
        try:
            found = FoundCheckpoint(each, provider.get_checkpoint(each))
        except Exception as error:  # noqa: BLE001 - Karbor raises TypeError for half an index
            found = FoundCheckpoint(each, problem=f"its index cannot be read: {error!r}")
        is_there = (
            found.checkpoint is not None
            and found.checkpoint.status != constants.CHECKPOINT_STATUS_DELETED
        )
        if is_there or (each in listed and read_object(index, listed[each], _INDEX) is not None):
            yield found
