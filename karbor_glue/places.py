"""Where in Karbor's bank a resource's backup, status and operations are kept.

Two properties of Karbor's file-system bank shape this. It turns bare strings such as ``"123"`` and
``"null"`` into other values, so only JSON objects are stored. It does not write atomically, so an
operation is written to two slots in turn: a write that a crash cuts short loses itself alone, and
nothing was begun on the strength of it.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from karbor_backup_core import (
    Backup,
    InvalidDocument,
    KarborBackupError,
    Operation,
    StoreError,
)
from karbor_backup_core.documents import from_document, to_document

METADATA: Final = "metadata"
"""The object in which Karbor's plugins keep what they know of a resource's backup."""

_SLOT: Final = re.compile(r"^operation-(?P<id>[0-9a-f-]{36})-(?P<slot>[01])$")


@attrs.frozen
class Kept:
    """An operation as it is kept in the bank.

    Attributes:
        operation: the operation.
        notes: what Karbor has to be told, or asked, when the operation is gone on with: ids.
    """

    operation: Operation
    notes: Mapping[str, Any]


@contextlib.contextmanager
def bank_errors(what: str) -> Iterator[None]:
    """Say of whatever a bank raises that the store could not do it.

    Raises:
        StoreError: the bank raised.
    """
    try:
        yield
    except KarborBackupError:
        raise
    except Exception as error:  # a bank is a plugin: it raises what it likes
        raise StoreError(f"Karbor's bank could not {what}: {error}") from error


@attrs.frozen
class Place:
    """The section that a checkpoint's bank has for one resource.

    Every method raises ``StoreError`` when the bank cannot be used. Absence is read from the list
    of objects, since a bank raises the same for an object that is missing and for one that cannot
    be reached.

    Attributes:
        section: Karbor's ``BankSection``.
        checkpoint: the checkpoint's id.
        resource_id: the resource's id in Karbor.
    """

    section: Any = attrs.field(eq=False, repr=False)
    checkpoint: str
    resource_id: str

    @classmethod
    def of(cls, checkpoint: Any, resource_id: str) -> "Place":
        """The place of a resource in one of Karbor's checkpoints."""
        with bank_errors(f"open the section of {resource_id}"):
            section = checkpoint.get_resource_bank_section(resource_id)
        return cls(section, checkpoint.id, resource_id)

    @property
    def bank(self) -> Any:
        """Karbor's ``Bank`` that the section is in."""
        return self.section.bank

    def metadata(self) -> Mapping[str, Any] | None:
        """What was noted of the resource's backup; None if nothing was."""
        return self._read(METADATA) if METADATA in self._names() else None

    def backup(self) -> Backup | None:
        """The resource's backup, alone or as a member of another one; None if there is none.

        Raises:
            StoreError: the bank holds something else, such as the metadata of another plugin.
        """
        metadata = self.metadata()
        if metadata is None or "covered_by" in metadata:
            return None
        try:
            return from_document(Backup, metadata.get("backup"))
        except InvalidDocument as error:
            raise StoreError(
                f"checkpoint {self.checkpoint} holds metadata of {self.resource_id} that this "
                f"plugin did not write: {error}"
            ) from None

    def keep_backup(self, backup: Backup) -> None:
        """Note the resource's backup."""
        self._write(METADATA, {"backup": to_document(backup)})

    def keep_covered(self, covered_by: str) -> None:
        """Note that nothing was stored, and by what the resource is covered."""
        self._write(METADATA, {"covered_by": covered_by})

    def forget_backup(self) -> None:
        """Remove what was noted of the resource's backup."""
        self._remove(METADATA)

    def status(self) -> str:
        """The resource's status as its plugin wrote it; empty if it wrote none."""
        return str(self._value("status")) if "status" in self._names() else ""

    def set_status(self, status: str) -> None:
        """Write the resource's status, as every plugin of Karbor's does."""
        self._write("status", status)

    def keep_operation(self, operation: Operation, notes: Mapping[str, Any]) -> None:
        """Write an operation, over the last version but one."""
        document = {"operation": to_document(operation), "notes": dict(notes)}
        self._write(f"operation-{operation.id}-{operation.version % 2}", document)

    def operations(self) -> list[Kept]:
        """The operations that are kept here, each as it was last written; the oldest first."""
        newest: dict[str, Kept] = {}
        for name in self._names():
            match = _SLOT.match(name)
            kept = self._kept(name) if match else None
            if kept is None:
                continue
            known = newest.get(kept.operation.id)
            if known is None or known.operation.version < kept.operation.version:
                newest[kept.operation.id] = kept
        return sorted(newest.values(), key=lambda each: each.operation.created_at)

    def forget_operation(self, operation_id: str) -> None:
        """Remove an operation."""
        for slot in (0, 1):
            self._remove(f"operation-{operation_id}-{slot}")

    def fragments(self) -> list[str]:
        """The objects of operations whose first write was cut short; nothing was begun of them."""
        whole = {kept.operation.id for kept in self.operations()}
        matches = (_SLOT.match(name) for name in self._names())
        return [match[0] for match in matches if match and match["id"] not in whole]

    def forget_fragments(self) -> None:
        """Remove them."""
        for name in self.fragments():
            self._remove(name)

    def _kept(self, name: str) -> Kept | None:
        document = self._read(name)
        if not isinstance(document, Mapping):
            return None  # cut short by a crash: the other slot has what was there before
        return Kept(from_document(Operation, document["operation"]), document["notes"])

    def _names(self) -> set[str]:
        with bank_errors(f"list what it has of {self.resource_id}"):
            return set(self.section.list_objects())

    def _read(self, name: str) -> Mapping[str, Any] | None:
        value = self._value(name)
        return value if isinstance(value, Mapping) else None

    def _value(self, name: str) -> Any:
        with bank_errors(f"read {name} of {self.resource_id}"):
            return self.section.get_object(name)

    def _write(self, name: str, value: Any) -> None:
        with bank_errors(f"write {name} of {self.resource_id}"):
            self.section.update_object(name, value)

    def _remove(self, name: str) -> None:
        if name in self._names():
            with bank_errors(f"remove {name} of {self.resource_id}"):
                self.section.delete_object(name)
