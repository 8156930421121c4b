"""Receipts: what is noted between calls."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from karbor_backup_core import BackendError, Operation, Resource, Verb
from karbor_backup_freezer.model.receipt import Receipt
from tests.backends.freezer.model.test_items import DISCOVERY

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


def operation_with_receipt(document: Any) -> Operation:
    return attrs.evolve(OPERATION, receipt=document)


def test_a_receipt_is_read_as_it_was_written() -> None:
    receipt = Receipt(
        step="native",
        client="one",
        storage="disk",
        doubt=True,
        discovery=DISCOVERY.to_document(),
        records=(("r", 1, "n"), ("q", 2, "")),
        notes={"volumes": {"a": "b"}},
        removal=2,
        settles_at=1.5,
    )
    assert Receipt.from_operation(operation_with_receipt(receipt.to_document())) == receipt
    assert receipt.load_discovery_result() == DISCOVERY
    assert Receipt.from_operation(OPERATION) == Receipt()


def test_receipt_document_leaves_out_empty_fields() -> None:
    assert Receipt(step="job").to_document() == {"format": 1, "step": "job"}


@pytest.mark.parametrize(
    "document",
    [
        {"format": 2},
        {"format": 0},
        {},
        {"format": 1, "more": 1},
        {"format": 1, "step": 1},
        {"format": 1, "records": [1]},
        {"format": 1, "records": [["../r", 1, ""]]},
        {"format": 1, "records": [["r", "1", ""]]},
        {"format": 1, "jobs": 10**9},
        {"format": 1, "jobs": True},
        {"format": 1, "removal": -1},
        {"format": 1, "client": ["one"]},
        {"format": 1, "client": "one\x00"},
        {"format": 1, "storage": "\ud800"},
        {"format": 1, "doubt": 1},
        {"format": 1, "discovery": []},
        {"format": 1, "notes": "none"},
        {"format": 1, "settles_at": float("inf")},
    ],
)
def test_damaged_or_later_receipt_is_refused(document: Any) -> None:
    with pytest.raises(BackendError, match="the receipt"):
        Receipt.from_operation(operation_with_receipt(document))


def test_damaged_discovery_result_is_refused() -> None:
    with pytest.raises(BackendError, match="damaged"):
        Receipt(discovery={"items": 1}).load_discovery_result()
