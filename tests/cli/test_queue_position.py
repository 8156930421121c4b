"""``show`` says of an operation that waits in its process how many begin before it."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from karbor_backup_cli._details import format_operation
from karbor_backup_cli._formatting import format_status
from karbor_backup_cli._lookup import count_queued_before
from karbor_backup_core import Lease, Operation, Retry, State
from karbor_backup_core.stores.sql import SQLStore
from tests.support.strategies import operation

_FIRST: Final = operation().created_at


def _queued(number: int, **changes: object) -> Operation:
    fields = {
        "backend": "cloud",
        "lease": Lease("me", _FIRST),
        "retry": Retry("it is full", queued=True),
    }
    created = _FIRST + timedelta(seconds=number)
    return operation(id=f"o{number}", created_at=created, **{**fields, **changes})


def test_show_counts_the_operations_before_one_that_is_queued(tmp_path: Path) -> None:
    store = SQLStore(f"sqlite:///{tmp_path}/store.db")
    waiting = [store.add(_queued(number)) for number in range(3)]
    store.add(_queued(-1, backend="other"))
    store.add(_queued(-2, lease=Lease("another process", _FIRST)))
    store.add(_queued(-3, retry=Retry()))
    assert [count_queued_before(store, each) for each in waiting] == [0, 1, 2]
    assert "  queue        2 before it" in list(format_operation(waiting[2], 2))
    assert format_status(waiting[2]) == "queued"
    store.close()


def test_what_the_service_queues_has_no_place_that_is_known(tmp_path: Path) -> None:
    store = SQLStore(f"sqlite:///{tmp_path}/store.db")
    begun = _queued(1, state=State.RUNNING, phase=1, attempt=1)
    assert count_queued_before(store, begun) is None
    assert format_status(begun) == "queued"
    store.close()
