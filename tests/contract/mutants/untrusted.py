"""Backends that believe what anybody may have written."""

import os

import attrs

from karbor_backup_core import (
    InvalidInput,
    Operation,
    Progress,
    ProgressState,
    Unsupported,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, FakeCloud, _serialization
from karbor_backup_fake._abilities import ABILITIES
from tests.contract.mutants.registry import breaks


@breaks("C-306", also={"C-218", "C-244"})
class TrustsCopyOfHandle(FakeBackend):
    """Works on the copy that a handle names, whosever it is."""

    def _check_ownership(self, cloud: FakeCloud, operation: Operation) -> None:
        pass


@breaks("C-306")
class DeleteOfDamagedHandleSucceeds(FakeBackend):
    """Says that a backup with a damaged handle was deleted."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        try:
            return super().delete(operation)
        except Unsupported:
            raise
        except InvalidInput:
            return Progress(ProgressState.SUCCEEDED)


@breaks("C-306")
class GuessesDamagedHandles(FakeBackend):
    """Guesses the copy from the backup's id where the handle is damaged."""

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        backup = operation.backup
        if backup is not None:
            made = [c.id for c in self._cloud.copies() if c.operation == backup.whole_id]
            wanted = {"version", "copy"} == backup.handle.keys()
            if wanted and made and "/" in str(backup.handle["copy"]):
                whole = attrs.evolve(backup, handle=_serialization.make_handle(made[0]))
                operation = attrs.evolve(operation, backup=whole)
        return super().restore(operation)


@breaks("C-307")
class ProtectsWorkingDirectory(FakeBackend):
    """Protects whatever is in its working directory."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        if operation.resource.id == "." and operation.resource.type in ABILITIES:
            return Progress(ProgressState.SUCCEEDED, handle=_serialization.make_handle(""))
        return super().protect(operation)


@breaks("C-307")
class NormalizesIds(FakeBackend):
    """Takes several ids for the same resource."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        path = os.path.normpath(operation.resource.id)
        resource = attrs.evolve(operation.resource, id=path)
        return super().protect(attrs.evolve(operation, resource=resource))
