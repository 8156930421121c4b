"""Backends that do something else to resources and backups than they should."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from karbor_backup_core import (
    BackendError,
    Check,
    Operation,
    Progress,
    ProgressState,
    Resource,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, _serialization
from karbor_backup_fake._abilities import ABILITIES, PROJECT
from karbor_backup_fake._model import Job
from tests.contract.mutants.registry import breaks


def copy_id_of(operation: Operation) -> str:
    """Return the id of the copy that an operation works on."""
    return "" if operation.backup is None else _serialization.read_copy_id(operation.backup.handle)


@breaks("C-201")
class VerifyOfProjectFails(FakeBackend):
    """Fails to verify backups of projects, which it declares."""

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        if operation.resource.type == PROJECT:
            return Progress(ProgressState.FAILED, reason="nobody wrote it")
        return super().verify(operation)


@breaks("C-202", also={"C-204", "C-407"})
class RestoresCurrentContent(FakeBackend):
    """Restores what is in the resource now, where there is one."""

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        inventory = self._cloud.inventory
        live, copy_id = inventory.assets.get(operation.resource.id), copy_id_of(operation)
        if live is not None and copy_id in inventory.copies:
            copy = inventory.copies[copy_id]
            inventory.copies[copy_id] = attrs.evolve(copy, content=live.content)
        return super().restore(operation)


@breaks("C-203")
class RestoreRequiresResource(FakeBackend):
    """Restores only while the resource is still there."""

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        if operation.phase == 1 and operation.resource.id not in self._cloud.inventory.assets:
            return Progress(ProgressState.FAILED, reason="the resource is gone")
        return super().restore(operation)


@breaks("C-204", also={"C-306", "C-406"})
class DeletesAllBackups(FakeBackend):
    """Deletes all backups of the resource."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        for copy in self._cloud.copies():
            if copy.resource == operation.resource and copy.id != copy_id_of(operation):
                self._cloud.inventory.remove_tree(copy.id)
        return super().delete(operation)


@breaks("C-205")
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


@breaks("C-207")
class VerifiesWithoutChecks(FakeBackend):
    """Does not say what a verify saw."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        return attrs.evolve(super()._job_progress(operation, job), checks=())


@breaks("C-208", also={"C-306"})
class VerifiesWithoutReading(FakeBackend):
    """Verifies without looking."""

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        if operation.resource.type not in ABILITIES:
            return super().verify(operation)
        check = Check("copy exists", verified=True)
        return Progress(ProgressState.SUCCEEDED, checks=(check,))


@breaks("C-209", also={"C-911"})
class KeepsHandlesInMemory(FakeBackend):
    """Restores only from the very handles that it has made in this process."""

    _made: list[Any] = []  # noqa: RUF012 - shared on purpose: so it survives in one process only

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = super().poll(operations)
        for answer in answers.values():
            self._made.extend([answer.handle, *(member.handle for member in answer.members)])
        return answers

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        handle = operation.backup and operation.backup.handle
        strange = handle is not None and "contract" in handle
        if not strange and not any(handle is made for made in self._made):
            raise BackendError("a handle of another process")
        return super().restore(operation)


@breaks("C-210")
class RestoresWholeForMember(FakeBackend):
    """Restores the whole in the place of a member."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        whole = progress.handle
        if whole is None:
            return progress
        members = tuple(attrs.evolve(member, handle=whole) for member in progress.members)
        return attrs.evolve(progress, members=members)


@breaks("C-211", also={"C-307"})
class ProtectOfMissingResourceSucceeds(FakeBackend):
    """Says that it protected a resource that is gone."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        known = operation.resource.id in self._cloud.inventory.assets
        if not known and operation.resource.type.startswith("OS::"):
            return Progress(ProgressState.SUCCEEDED, handle=_serialization.make_handle("none"))
        return super().protect(operation)


@breaks("C-212")
class RestoresWithWrongType(FakeBackend):
    """Names the restored resource with another type."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        if operation.verb is not Verb.RESTORE or not progress.resources:
            return progress
        other = Resource("OS::Other::Thing", progress.resources[0].id)
        return attrs.evolve(progress, resources=(other, *progress.resources[1:]))
