"""Backends whose maintenance does something else than it should."""

import hashlib

import attrs

from karbor_backup_core import Operation, Progress, Resource, Verb, hookimpl
from karbor_backup_fake import FakeBackend
from karbor_backup_fake._abilities import MAINTENANCE, PRUNE
from karbor_backup_fake._cloud import FakeCloud
from tests.contract.mutants.idempotency import KeepsWorkInMemory
from tests.contract.mutants.registry import breaks


@breaks(
    "C-231",
    also={"C-232", "C-234", "C-301", "C-605", "C-607", "C-702", "C-703", "C-705", "C-706", "C-707"},
)
class PrunesOldestBackup(FakeBackend):
    """Removes the oldest backup when it prunes."""

    @hookimpl
    def maintain(self, operation: Operation) -> Progress:
        for copy in self._cloud.copies()[:1]:
            self._cloud.inventory.remove_tree(copy.id)
        return super().maintain(operation)


@breaks("C-232", also={"C-604", "C-707"})
class KeepsMaintenanceInMemory(KeepsWorkInMemory):
    """Knows only the maintenance that this very object has begun."""

    FORGETFUL_VERBS = frozenset({Verb.MAINTAIN})


@breaks("C-233", also={"C-414"})
class BeginsMaintenanceTwice(FakeBackend):
    """Begins a maintenance without looking whether an earlier attempt has begun it."""

    @hookimpl
    def maintain(self, operation: Operation) -> Progress:
        return super().maintain(attrs.evolve(operation, attempt=1))


@breaks("C-234")
class DamagesOnCancel(FakeBackend):
    """Spoils the copies when a maintenance is cancelled."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        if operation.action:
            spoil_all(self._cloud)
        return super().cancel(operation)


@breaks("C-235", also={"C-301"})
class MaintainsAnything(FakeBackend):
    """Prunes, whatever maintenance is asked for."""

    @hookimpl
    def maintain(self, operation: Operation) -> Progress:
        if operation.action not in MAINTENANCE:
            return super().maintain(attrs.evolve(operation, resource=Resource(PRUNE, "")))
        return super().maintain(operation)


def spoil_all(cloud: FakeCloud) -> None:
    """Give all copies other content, whose digest fits."""
    for copy in cloud.copies():
        content = b"spoiled"
        digest = hashlib.sha256(content).hexdigest()
        cloud.inventory.copies[copy.id] = attrs.evolve(copy, content=content, digest=digest)
