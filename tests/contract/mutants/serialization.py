"""Backends that think what is stored is theirs."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from karbor_backup_core import Operation, Progress, ProgressState, hookimpl
from karbor_backup_fake import FakeBackend
from tests.contract.mutants.registry import breaks


@breaks("C-911")
class ExpectsTupleInReceipt(FakeBackend):
    """Expects a tuple in its receipt to come back as one."""

    def _start_phase(self, operation: Operation) -> Progress:
        progress = super()._start_phase(operation)
        return attrs.evolve(progress, receipt={**(progress.receipt or {}), "place": (1, 2)})

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(super().poll(operations))
        for operation in operations:
            place: Any = (operation.receipt or {}).get("place", ())
            if not isinstance(place, tuple):
                answers[operation.id] = Progress(ProgressState.FAILED, reason="no place")
        return answers


@breaks("C-912")
class ModifiesOptions(FakeBackend):
    """Writes into the options that it is given."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        options: Any = operation.options
        options["description"] = "seen"
        return super().protect(operation)


@breaks("C-912")
class ModifiesReceipts(FakeBackend):
    """Counts its polls in a receipt that it has answered."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        for operation in operations:
            receipt: Any = operation.receipt
            if receipt is not None:
                receipt["polls"] = receipt.get("polls", 0) + 1
        return super().poll(operations)


@breaks("C-913")
class CancelReturnsNone(FakeBackend):
    """Answers None when it has cancelled something."""

    @hookimpl
    def cancel(self, operation: Operation) -> Any:
        return None if super().cancel(operation) else False
