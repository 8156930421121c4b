"""Receipts: what is noted between calls."""

from datetime import UTC, datetime

import attrs
import pytest

from karbor_backup_core import BackendError, Operation, Resource, Verb
from karbor_backup_freezer.receipts import Receipt

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OPERATION = Operation(
    id="op",
    verb=Verb.PROTECT,
    backend="freezer",
    implementation="freezer",
    scope="s",
    resource=Resource("OS::Cinder::Volume", "v"),
    created_at=NOW,
    deadline=NOW,
)


def test_a_receipt_is_read_as_it_was_written() -> None:
    receipt = Receipt(client="one", storage="disk", doubt=True, removal=2, settles_at=1.5)
    noted = attrs.evolve(OPERATION, receipt=receipt.document())
    assert Receipt.of(noted) == receipt
    assert Receipt.of(OPERATION) == Receipt()


def test_a_receipt_of_a_later_version_is_refused() -> None:
    noted = attrs.evolve(OPERATION, receipt={"format": 2})
    with pytest.raises(BackendError, match="format 2"):
        Receipt.of(noted)
