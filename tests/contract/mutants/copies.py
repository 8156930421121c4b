"""Backends that copy something else than a backup, or to nowhere."""

import hashlib
from typing import Any

import attrs

from karbor_backup_core import Backup, Operation, Progress, ProgressState, Verb, hookimpl
from karbor_backup_fake import FakeBackend, _serialization
from karbor_backup_fake._model import Copy, Job
from tests.contract.mutants.idempotency import KeepsWorkInMemory
from tests.contract.mutants.registry import breaks
from tests.contract.mutants.verbs import copy_id_of


class ChangesReplica(FakeBackend):
    """Stores something else than the copy that it was to replicate."""

    def change(self, replica: Copy, source: Copy) -> Copy:
        """Return what is stored for a replica."""
        raise NotImplementedError

    @hookimpl
    def copy(self, operation: Operation) -> Progress:
        progress = super().copy(operation)
        copies = self._cloud.inventory.copies
        source = copies[copy_id_of(operation)]
        for replica in [copies[each] for each in copies.ids_made_by(operation.id)]:
            if replica.resource == source.resource:
                copies[replica.id] = self.change(replica, source)
        return progress


@breaks("C-241", also={"C-248"})
class NeedsFirstBackup(FakeBackend):
    """Restores a copy only while the first backup is there."""

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        first = operation.backup.copy_of if operation.backup else ""
        made_by = {each.operation for each in self._cloud.copies()}
        if first and first.partition("/")[0] not in made_by:
            return Progress(ProgressState.FAILED, reason=f"backup {first} is gone")
        return super().restore(operation)


@breaks("C-242")
class CopiesWithoutMembers(FakeBackend):
    """Names no members of what it has copied."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        return attrs.evolve(progress, members=()) if operation.verb is Verb.COPY else progress


class RemovesMore(FakeBackend):
    """Removes more than the copy that it was to delete."""

    _copied: dict[str, Any] = {}  # noqa: RUF012 - shared on purpose, as in a service

    def unwanted(self, first: str) -> list[str]:
        """Return the operations whose copies are removed, too, with a copy of a first backup."""
        raise NotImplementedError

    @hookimpl
    def copy(self, operation: Operation) -> Progress:
        self._copied[operation.id] = operation.backup and operation.backup.id
        return super().copy(operation)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        first = operation.backup.copy_of if operation.backup else ""
        inventory = self._cloud.inventory
        for other in self.unwanted(first) if first else ():
            for copy_id in inventory.copies.ids_made_by(other):
                inventory.remove_tree(copy_id)
        return super().delete(operation)


@breaks("C-243")
class DeletesAllCopies(RemovesMore):
    """Deletes all copies of a backup with the first of them."""

    def unwanted(self, first: str) -> list[str]:
        return [operation for operation, copied in self._copied.items() if copied == first]


@breaks("C-243", also={"C-410", "C-413", "C-610", "C-611"})
class DeletesFirstBackup(RemovesMore):
    """Deletes the first backup with its copy."""

    def unwanted(self, first: str) -> list[str]:
        return [first]


@breaks("C-244")
class CopiesFromAnywhere(FakeBackend):
    """Reads a handle in any scope, as if it were of a vault of its own cloud."""

    def _check_source(self, backup: Backup, copy: Copy | None) -> None:
        pass


@breaks("C-244")
class LooksInNoVault(FakeBackend):
    """Reads the handle of a backup of its own under the scope of another vault."""

    def _check_source(self, backup: Backup, copy: Copy | None) -> None:  # noqa: ARG002
        super()._check_source(backup, None)


@breaks("C-245")
class CopiesNothing(FakeBackend):
    """Says that it has copied a backup that is gone."""

    @hookimpl
    def copy(self, operation: Operation) -> Progress:
        if operation.backup and operation.attempt == 1:
            copy_id = copy_id_of(operation)
            if copy_id not in self._cloud.inventory.copies:
                handle = _serialization.make_handle(copy_id)
                return Progress(ProgressState.SUCCEEDED, handle=handle)
        return super().copy(operation)


@breaks("C-246")
class CopiesDamage(ChangesReplica):
    """Takes damaged data for what was stored."""

    def change(self, replica: Copy, source: Copy) -> Copy:  # noqa: ARG002
        return attrs.evolve(replica, digest=hashlib.sha256(replica.content).hexdigest())


@breaks("C-247", also={"C-703"})
class SpoilsFirstBackupOnCancel(FakeBackend):
    """Spoils the first backup when a copy of it is cancelled."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        if operation.verb is Verb.COPY:
            copies = self._cloud.inventory.copies
            copies[copy_id_of(operation)] = attrs.evolve(
                copies[copy_id_of(operation)], complete=False
            )
        return super().cancel(operation)


@breaks("C-248")
class CopiesChangesOnly(ChangesReplica):
    """Copies what a backup holds itself, and not what it is based on."""

    def change(self, replica: Copy, source: Copy) -> Copy:
        return attrs.evolve(replica, parent=source.parent)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        copies = self._cloud.inventory.copies
        copy = copies.get(copy_id_of(operation))
        if copy is not None and copy.parent and copy.parent not in copies:
            return Progress(ProgressState.FAILED, reason=f"copy {copy.parent} is gone")
        return super().restore(operation)


@breaks("C-401", also={"C-402", "C-410", "C-414"})
class BeginsCopyTwice(FakeBackend):
    """Begins a copy without looking whether an earlier attempt has begun it."""

    @hookimpl
    def copy(self, operation: Operation) -> Progress:
        return super().copy(attrs.evolve(operation, attempt=1))


@breaks("C-403", also={"C-409", "C-604", "C-707"})
class KeepsCopiesInMemory(KeepsWorkInMemory):
    """Knows only the copies that this very object has begun."""

    FORGETFUL_VERBS = frozenset({Verb.COPY})
