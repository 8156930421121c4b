"""Backends that do something else to resources and backups than they should."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence, ValuesView
from typing import Any

import attrs

from karbor_backup_core import (
    BackendError,
    Operation,
    Progress,
    ProgressState,
    Resource,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, _serialization
from karbor_backup_fake._abilities import PROJECT
from karbor_backup_fake._indexes import NestedIndex
from karbor_backup_fake._model import Copy, Job
from tests.contract.mutants.registry import breaks


def copy_id_of(operation: Operation) -> str:
    """Return the id of the copy that an operation works on."""
    return "" if operation.backup is None else _serialization.read_copy_id(operation.backup.handle)


@breaks("C-201", also={"C-214", "C-215", "C-241"})
class VerifyOfProjectFails(FakeBackend):
    """Fails to verify backups of projects, which it declares."""

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        if operation.resource.type == PROJECT:
            return Progress(ProgressState.FAILED, reason="nobody wrote it")
        return super().verify(operation)


@breaks(
    "C-202", also={"C-204", "C-213", "C-219", "C-231", "C-232", "C-234", "C-241", "C-407", "C-612"}
)
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


@breaks("C-209", also={"C-404", "C-410", "C-413", "C-911"})
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


@breaks("C-210", also={"C-242"})
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


class ChangesContent(FakeBackend):
    """Stores something else than the content."""

    def change(self, content: bytes) -> bytes:
        """Return what is stored in the place of a content."""
        raise NotImplementedError

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        progress = super().protect(operation)
        copies = self._cloud.inventory.copies
        # Not of `copies`, which other threads change.
        for copy in [each for each in self._cloud.copies() if each.operation == operation.id]:
            content = self.change(copy.content)
            digest = hashlib.sha256(content).hexdigest()
            copies[copy.id] = attrs.evolve(copy, content=content, digest=digest)
        return progress


@breaks("C-213")
class NormalizesLineEnds(ChangesContent):
    """Writes all ends of lines alike."""

    def change(self, content: bytes) -> bytes:
        return content.replace(b"\r\n", b"\n")


@breaks("C-213")
class TruncatesLargeContent(ChangesContent):
    """Stores a mebibyte at most."""

    def change(self, content: bytes) -> bytes:
        return content[: 2**20]


@breaks("C-213")
class TrimsBlanks(ChangesContent):
    """Drops blanks at the ends."""

    def change(self, content: bytes) -> bytes:
        return content.strip() if content.isspace() else content


@breaks("C-213")
class RefusesNothing(FakeBackend):
    """Takes what is empty for a fault."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        asset = self._cloud.inventory.assets.get(operation.resource.id)
        if asset is not None and not asset.content and not asset.members:
            return Progress(ProgressState.FAILED, reason="there is nothing in it")
        return super().protect(operation)


@breaks("C-112", also={"C-606"})
class StoresElsewhere(FakeBackend):
    """Stores copies where the harness does not look."""

    def __init__(self, configuration: Any, **extra: Any) -> None:
        super().__init__(configuration, **extra)
        self._cloud.inventory.copies.__class__ = HiddenCopies


class HiddenCopies(NestedIndex[Copy]):
    """Copies that nobody lists."""

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def values(self) -> ValuesView[Copy]:
        return self.data.values()
