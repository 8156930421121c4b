"""What the calls of all steps of this backend have: receipt, handle, and Cinder's backups."""

import abc
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import attrs

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Progress,
    ProgressState,
    Step,
    StepCall,
)
from karbor_backup_openstack.native_backups import NativeBackup, NativeBackupClient


class BackupReceipt(Protocol):
    """A receipt that notes Cinder's backups."""

    @property
    def backups(self) -> Sequence[str]:
        """The ids of those that a protect has begun."""

    def report(self, state: ProgressState) -> Progress:
        """Return a progress with this receipt."""


class BackupHandle(Protocol):
    """A handle of a backup that consists of Cinder's backups."""

    @property
    def backups(self) -> Mapping[str, str]:
        """The volume that each of them was made of, by the backup's id."""


ReceiptT_co = TypeVar("ReceiptT_co", bound=BackupReceipt, covariant=True)
HandleT_co = TypeVar("HandleT_co", bound=BackupHandle, covariant=True)


@attrs.frozen
class NativeBackupCall(StepCall, abc.ABC, Generic[ReceiptT_co, HandleT_co]):
    """One call of the steps of an operation, with what it has read.

    Attributes:
        seen: Cinder's backups that a poll has looked up for many operations at once, by id.
    """

    seen: dict[str, NativeBackup] = attrs.field(factory=dict, eq=False, repr=False)

    @functools.cached_property
    def receipt(self) -> ReceiptT_co:
        """The operation's receipt.

        Raises:
            BackendError: it was written by another version, or is damaged.
        """
        return self._read_receipt()

    @functools.cached_property
    def handle(self) -> HandleT_co:
        """The handle of the operation's backup.

        Raises:
            InvalidInput: there is none, or it cannot be read.
        """
        return self._read_handle()

    def look_up(self, client: NativeBackupClient, ids: Collection[str]) -> list[NativeBackup]:
        """Return how some of Cinder's backups stand, from the present poll if that has seen them.

        Errors are those of ``NativeBackupClient.get_backups``.
        """
        unseen = [each for each in ids if each not in self.seen]
        found = {**self.seen, **(client.get_backups(unseen) if unseen else {})}
        return [found[each] for each in ids]

    def load_own_backups(self, client: NativeBackupClient) -> list[NativeBackup]:
        """Return how the backups that the operation works on stand in Cinder.

        Raises:
            InvalidInput: the handle cannot be read, or one that it names is something else.
        """
        volumes = self.handle.backups
        found = self.look_up(client, volumes)
        for each in found:
            if not each.belongs_to(self.operation.backup_id, volumes[each.id]):
                raise InvalidInput(
                    f"backup {self.backup.id}: its handle is damaged: Cinder's backup {each.id} "
                    f"({each.name!r}) belongs to something else"
                )
        return found

    def awaited_backups(self) -> Collection[str]:
        """Return the ids of the backups that the operation works on, as far as it knows."""
        try:
            return self.receipt.backups if self.operation.backup is None else self.handle.backups
        except (BackendError, InvalidInput):
            # The step that is asked says what is wrong with it.
            return ()

    def forget_seen(self) -> None:
        """Forget what the last poll has seen.

        The workflow keeps the call of an operation that has not changed since.
        """
        self.seen.clear()

    @abc.abstractmethod
    def _read_receipt(self) -> ReceiptT_co: ...

    @abc.abstractmethod
    def _read_handle(self) -> HandleT_co: ...


CallT = TypeVar("CallT", bound=NativeBackupCall[BackupReceipt, BackupHandle])


def observe_backups(
    client: NativeBackupClient, asked: Iterable[tuple[CallT, Sequence[Step[CallT]]]]
) -> None:
    """Look at the backups that the operations of a poll wait for, in one request for many.

    Errors are those of ``NativeBackupClient.get_backups``.
    """
    wanted: dict[str, list[CallT]] = {}
    for call, _ in asked:
        call.forget_seen()
        for identifier in call.awaited_backups():
            wanted.setdefault(identifier, []).append(call)
    for identifier, found in (client.get_backups(wanted) if wanted else {}).items():
        for call in wanted[identifier]:
            call.seen[identifier] = found
