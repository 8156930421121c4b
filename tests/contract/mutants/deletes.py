"""Backends that delete something else than they should."""

from unicodedata import normalize

import attrs

from karbor_backup_core import (
    BackendError,
    Operation,
    Progress,
    ProgressState,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, FakeCloud, _serialization
from karbor_backup_fake._model import Copy, Task
from tests.contract.mutants.registry import breaks
from tests.contract.mutants.verbs import copy_id_of


class DeletesOthers(FakeBackend):
    """Deletes what a subclass takes for the same backup."""

    def _is_taken_for(self, _operation: Operation, _copy: Copy) -> bool:
        raise NotImplementedError

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        for copy in self._cloud.copies():
            if copy.id != copy_id_of(operation) and self._is_taken_for(operation, copy):
                self._cloud.inventory.remove_tree(copy.id)
        return super().delete(operation)


@breaks(
    "C-204",
    also={
        "C-216",
        "C-231",
        "C-232",
        "C-234",
        "C-243",
        "C-306",
        "C-406",
        "C-410",
        "C-413",
        "C-605",
        "C-610",
        "C-611",
    },
)
class DeletesAllBackups(DeletesOthers):
    """Deletes all backups of the resource."""

    def _is_taken_for(self, operation: Operation, copy: Copy) -> bool:
        return copy.resource == operation.resource


@breaks("C-205", also={"C-216", "C-705", "C-707"})
class SecondDeleteFails(FakeBackend):
    """Refuses to delete what is gone."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        if operation.attempt == 1 and copy_id_of(operation) not in self._cloud.inventory.copies:
            raise BackendError("there is no such copy")
        return super().delete(operation)


@breaks("C-206")
class RestoreOfDeletedBackupSucceeds(FakeBackend):
    """Says that it restored a copy that is gone."""

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        if copy_id_of(operation) not in self._cloud.inventory.copies:
            return Progress(ProgressState.SUCCEEDED, resources=(operation.resource,))
        return super().restore(operation)


@breaks("C-216", also={"C-407", "C-410", "C-413"})
class DeletesLaterBackup(DeletesOthers):
    """Deletes the backups that there are when the one that it looks for is gone."""

    def _is_taken_for(self, operation: Operation, copy: Copy) -> bool:
        gone = copy_id_of(operation) not in self._cloud.inventory.copies
        return gone and copy.resource == operation.resource


@breaks("C-217", also={"C-241", "C-610"})
class DeletesByPrefix(DeletesOthers):
    """Deletes also the backups of names that begin with that of the resource."""

    def _is_taken_for(self, operation: Operation, copy: Copy) -> bool:
        name = operation.resource.name
        return copy.resource.name != name and copy.resource.name.startswith(name)


@breaks("C-217")
class DeletesIgnoringCase(DeletesOthers):
    """Deletes also the backups of names that differ in upper and lower case only."""

    def _is_taken_for(self, operation: Operation, copy: Copy) -> bool:
        name = operation.resource.name
        return copy.resource.name != name and copy.resource.name.lower() == name.lower()


class ComparesResourcesOnly(FakeBackend):
    """Takes any copy of the same resource that has the id for a backup's own."""

    verbs: frozenset[Verb] = frozenset()

    def _check_ownership(self, cloud: FakeCloud, operation: Operation) -> None:
        if operation.backup is None or operation.verb not in self.verbs:
            super()._check_ownership(cloud, operation)
            return
        copy = cloud.inventory.copies.get(_serialization.read_copy_id(operation.backup.handle))
        if copy is not None and copy.resource.id != operation.resource.id:
            super()._check_ownership(cloud, operation)


@breaks("C-218")
class DeletesByReusedId(ComparesResourcesOnly):
    """Deletes whatever copy of the resource has the id of the one that it is to delete."""

    verbs = frozenset({Verb.DELETE})


@breaks("C-218")
class RestoresByReusedId(ComparesResourcesOnly):
    """Restores whatever copy of the resource has the id of the one that it is to restore."""

    verbs = frozenset({Verb.RESTORE})


@breaks("C-218")
class VerifiesByReusedId(ComparesResourcesOnly):
    """Verifies whatever copy of the resource has the id of the one that it is to verify."""

    verbs = frozenset({Verb.VERIFY})


@breaks("C-217")
class NormalizesNames(FakeBackend):
    """Restores the newest copy of what has the same name in either form of Unicode."""

    def _build_task(self, cloud: FakeCloud, operation: Operation) -> Task:
        task = super()._build_task(cloud, operation)
        name = operation.resource.name
        alike = [
            copy
            for copy in cloud.copies()
            if copy.resource.name != name
            and normalize("NFC", copy.resource.name) == normalize("NFC", name)
        ]
        return attrs.evolve(task, copy=alike[-1].id) if alike and task.copy else task
