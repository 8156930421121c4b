"""Where in Karbor's bank a resource's backup, status and operations are kept.

Two properties of Karbor's file-system bank shape this. It turns bare strings such as ``"123"`` and
``"null"`` into other values, so only JSON objects are stored. It does not write atomically, so an
operation is written to two slots in turn: a write that a crash cuts short loses itself alone, and
nothing was begun on the strength of it.

A bank that may list late, such as Swift's, is not asked by its lists alone which operations it has:
their ids are noted in an object of their own, before the first of their writes.
"""

import re
import threading
import weakref
from collections.abc import Mapping
from typing import Any, Final

import attrs

from karbor_backup_core import Backup, InvalidDocument, Operation, StoreError
from karbor_backup_core.documents import from_document, to_document
from karbor_glue._bank_objects import (
    bank_errors,
    list_names,
    lists_current_state,
    read_object,
    remove_object,
    write_object,
)

METADATA: Final = "metadata"
"""The object in which Karbor's plugins keep what they know of a resource's backup."""

_NOTED: Final = "operations"
"""The object that notes the ids of the operations, where the bank may list late."""

_SLOT: Final = re.compile(r"^operation-(?P<id>[0-9a-f-]{36})-(?P<slot>[01])$")


@attrs.frozen
class StoredOperation:
    """An operation as it is kept in the bank.

    Attributes:
        operation: the operation.
        notes: what Karbor has to be told, or asked, when the operation is gone on with: ids.
    """

    operation: Operation
    notes: Mapping[str, Any]


@attrs.frozen
class ResourceSection:
    """The section that a checkpoint's bank has for one resource.

    Every method raises ``StoreError`` when the bank cannot be used.

    Attributes:
        section: Karbor's ``BankSection``.
        checkpoint_id: the checkpoint's id.
        resource_id: the resource's id in Karbor.
    """

    section: Any = attrs.field(eq=False, repr=False)
    checkpoint_id: str
    resource_id: str

    @classmethod
    def from_checkpoint(cls, checkpoint: Any, resource_id: str) -> "ResourceSection":
        """Return the section of a resource in one of Karbor's checkpoints."""
        with bank_errors(f"open the section of {resource_id}"):
            section = checkpoint.get_resource_bank_section(resource_id)
        return cls(section, checkpoint.id, resource_id)

    @property
    def bank(self) -> Any:
        """Karbor's ``Bank`` that the section is in."""
        return self.section.bank

    def read_metadata(self) -> Mapping[str, Any] | None:
        """Return the metadata of the resource's backup, None without any."""
        value = self._read_value(METADATA)
        return value if isinstance(value, Mapping) else None

    def read_backup(self) -> Backup | None:
        """Return the resource's backup, alone or as a member of another one; None if there is none.

        Raises:
            StoreError: the bank holds something else, such as the metadata of another plugin.
        """
        metadata = self.read_metadata()
        if metadata is None or "covered_by" in metadata:
            return None
        try:
            return from_document(Backup, metadata.get("backup"))
        except InvalidDocument as error:
            raise StoreError(
                f"checkpoint {self.checkpoint_id} holds metadata of {self.resource_id} that this "
                f"plugin did not write: {error}"
            ) from None

    def write_backup(self, backup: Backup) -> None:
        """Note the resource's backup."""
        self._write(METADATA, {"backup": to_document(backup)})

    def write_covered(self, covered_by: str) -> None:
        """Note that nothing was stored, and by what the resource is covered."""
        self._write(METADATA, {"covered_by": covered_by})

    def delete_backup(self) -> None:
        """Remove what was noted of the resource's backup."""
        self._remove(METADATA)

    def read_status(self) -> str:
        """Return the resource's status as its plugin wrote it; empty if it wrote none."""
        return str(self._read_value("status") or "")

    def write_status(self, status: str) -> None:
        """Write the resource's status, as every plugin of Karbor's does."""
        self._write("status", status)

    def write_operation(self, operation: Operation, notes: Mapping[str, Any]) -> None:
        """Write an operation, over the last version but one."""
        if operation.version == 1:
            self._note(add=operation.id)
        document = {"operation": to_document(operation), "notes": dict(notes)}
        self._write(f"operation-{operation.id}-{operation.version % 2}", document)

    def read_operations(self) -> list[StoredOperation]:
        """Return the operations of this section, each as it was last written, oldest first."""
        found = (self._newest(each) for each in self._ids())
        return sorted(
            (stored for stored in found if stored is not None),
            key=lambda each: each.operation.created_at,
        )

    def delete_operation(self, operation_id: str) -> None:
        """Remove an operation."""
        for name in _slots(operation_id):
            self._remove(name)
        self._note(remove=operation_id)

    def list_partial_writes(self) -> list[str]:
        """Return the ids of operations whose first write was cut short, before any work."""
        return [
            each
            for each in self._ids()
            if self._newest(each) is None
            and any(self._read_value(name) is not None for name in _slots(each))
        ]

    def delete_partial_writes(self) -> None:
        """Remove them, and the notes on operations that were never written."""
        for each in self._ids():
            if self._newest(each) is None:
                self.delete_operation(each)

    def _ids(self) -> list[str]:
        """Return the ids of the operations of which anything may be kept here."""
        matches = (_SLOT.match(name) for name in list_names(self.section, self.resource_id))
        return sorted({match["id"] for match in matches if match} | set(self._noted()))

    def _noted(self) -> list[str]:
        if lists_current_state(self.bank):
            return []
        value = self._read_value(_NOTED)
        return list(value["ids"]) if isinstance(value, Mapping) else []

    def _note(self, *, add: str = "", remove: str = "") -> None:
        """Change which operations are noted, where the bank may list late."""
        if lists_current_state(self.bank):
            return
        with _note_lock(self.checkpoint_id, self.resource_id):
            before = self._noted()
            after = [each for each in before if each != remove] + ([add] if add else [])
            if after:
                self._write(_NOTED, {"ids": after})
            elif before:
                self._remove(_NOTED)

    def _newest(self, operation_id: str) -> StoredOperation | None:
        """Return an operation as it was last written; None if it was never written whole."""
        stored = (self._read_operation(name) for name in _slots(operation_id))
        whole = [each for each in stored if each is not None]
        return max(whole, key=lambda each: each.operation.version, default=None)

    def _read_operation(self, name: str) -> StoredOperation | None:
        document = self._read_value(name)
        if not isinstance(document, Mapping):
            return None  # cut short by a crash: the other slot has what was there before
        return StoredOperation(from_document(Operation, document["operation"]), document["notes"])

    def _read_value(self, name: str) -> Any:
        return read_object(self.section, name, self.resource_id)

    def _write(self, name: str, value: Any) -> None:
        write_object(self.section, name, value, self.resource_id)

    def _remove(self, name: str) -> None:
        remove_object(self.section, name, self.resource_id)


def _slots(operation_id: str) -> tuple[str, str]:
    """Return the names of the two objects that an operation is written to in turn."""
    return f"operation-{operation_id}-0", f"operation-{operation_id}-1"


_note_locks: weakref.WeakValueDictionary[tuple[str, str], Any] = weakref.WeakValueDictionary()


def _note_lock(checkpoint: str, resource_id: str) -> Any:
    """Return what threads hold while they change the note on a resource's operations."""
    return _note_locks.setdefault((checkpoint, resource_id), threading.Lock())
