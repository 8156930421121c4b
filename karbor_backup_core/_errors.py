"""Everything that karbor-backup raises on purpose.

::

    KarborBackupError
    ├── InvalidInput             refused before anything is started
    │   ├── InvalidDocument      options or configuration that do not fit their schema (all faults)
    │   ├── UnknownBackend
    │   ├── UnknownOperation
    │   ├── UnknownBackup
    │   ├── Unsupported          the backend does not do this for this type of resource
    │   ├── HasDependents        a backup without which others cannot be restored
    │   ├── WrongBackend         a backup that another backend made
    │   ├── WrongScope           an operation or backup of another endpoint or project
    │   └── WrongPlace           an operation whose work can be seen from another host alone
    ├── MissingLibrary           a library that is not installed, or is too old: what to install
    ├── BackendUnavailable       installed but cannot be loaded: the reason, and what to install
    ├── OperationFailed          what ``raise_for_outcome`` raises: the operation did not succeed
    │   └── OperationRefused     the backend refused it (it is an InvalidInput, too)
    ├── RunnerClosed             the runner is closed; another one can resume its operations
    ├── ContractViolation        a backend answered what the contract forbids
    ├── BackendError             what a backend's hook raises: final, a repeat would not help
    │   └── Transient            a repeat may help, after ``retry_after`` seconds
    └── StoreError
        ├── StoreNotFound        there is no store where one was to be read
        ├── Conflict             somebody else wrote the operation first
        └── Busy                 another operation has what this one needs
            ├── BackupBusy       it works on the same backup
            └── ResourceBusy     it uses, or waits for, the same shared resource of a backend

The failure of work in the service itself is no exception: it is data, in ``Progress`` and in
``Outcome``, until a program calls ``Operation.raise_for_outcome``.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from karbor_backup_core._escaping import truncate_text

if TYPE_CHECKING:
    from karbor_backup_core._model import Operation


class KarborBackupError(Exception):
    """The root: catch this to catch all of ours."""


class InvalidInput(KarborBackupError):
    """What was asked for cannot be done as asked; nothing has been started."""


_MAX_FAULTS: Final = 20
"""As many faults as a message names; the others are counted."""

_LONGEST_FAULT: Final = 400
"""Characters of a fault that a message shows: a fault may name a key of a megabyte."""


def truncate_faults(faults: Sequence[str]) -> list[str]:
    """Return the beginnings of the first faults, and how many more there are."""
    more = len(faults) - _MAX_FAULTS
    shown = [truncate_text(fault, _LONGEST_FAULT) for fault in faults[:_MAX_FAULTS]]
    return [*shown, *([f"and {more} more"] if more > 0 else [])]


class InvalidDocument(InvalidInput):
    """A document does not fit its schema.

    Attributes:
        what: the document, in words ("options for protect of OS::Nova::Server").
        faults: every fault found, each with the place and the remedy.
    """

    def __init__(self, what: str, faults: Sequence[str]) -> None:
        self.what = what
        self.faults = tuple(faults)
        super().__init__(f"{what}: {'; '.join(truncate_faults(self.faults))}")


class UnknownBackend(InvalidInput):
    """No backend of that name is installed or configured."""


class UnknownOperation(InvalidInput):
    """The store holds no operation of that id."""


class UnknownBackup(InvalidInput):
    """The store holds no backup of that id."""


class Unsupported(InvalidInput):
    """The backend does not do this for this type of resource."""


class HasDependents(InvalidInput):
    """The backup cannot be deleted, because others cannot be restored without it.

    Attributes:
        backup_id: the backup.
        dependents: the others, the one that has to be deleted first before the others: ids of
            backups, or a service's words for those that another program made.
    """

    def __init__(self, backup_id: str, dependents: Sequence[str]) -> None:
        super().__init__(backup_id, tuple(dependents))
        self.backup_id = backup_id
        self.dependents = tuple(dependents)

    def __str__(self) -> str:
        named = ", ".join(truncate_faults(self.dependents))
        return (
            f"backup {self.backup_id} is needed to restore others: delete those first, in this "
            f"order: {named}"
        )


class WrongBackend(InvalidInput):
    """The backup was made by another backend, which alone can read it."""


class WrongScope(InvalidInput):
    """The work belongs to another endpoint or project.

    Going on under another scope would read "not found" as "lost".
    """


class WrongPlace(InvalidInput):
    """The work of the operation goes on at another host, and cannot be seen from here.

    Attributes:
        operation_id: the operation.
        host: the name of that host.
    """

    def __init__(self, operation_id: str, host: str) -> None:
        super().__init__(operation_id, host)
        self.operation_id = operation_id
        self.host = host

    def __str__(self) -> str:
        return (
            f"operation {self.operation_id}: its work is on host {self.host}, and cannot be seen "
            f"from here: go on there (karbor-backup resume {self.operation_id}), or, if that host "
            f"is gone for good, give it up (karbor-backup abandon {self.operation_id})"
        )


class MissingLibrary(KarborBackupError):
    """Something needs a library that is not installed, or too old; the message says what to do."""


class BackendUnavailable(KarborBackupError):
    """The backend is installed but cannot be loaded; the message says what to install."""


class OperationFailed(KarborBackupError):
    """An operation did not succeed: it failed, was cancelled or refused, or is not released.

    Attributes:
        operation: the operation, with its outcome.
        leftovers: everything that it made and that could not be removed.
    """

    def __init__(self, operation: "Operation") -> None:
        from karbor_backup_core._outcome_messages import describe_end

        self.operation = operation
        self.leftovers = operation.leftovers
        resource = operation.resource
        super().__init__(
            f"{operation.verb} of {resource.type} {resource.id}: {describe_end(operation)} "
            f"(operation {operation.id})"
        )

    def __reduce__(self) -> "tuple[type[OperationFailed], tuple[Operation]]":
        """Let it be sent to another process, with its operation."""
        return type(self), (self.operation,)


class OperationRefused(OperationFailed, InvalidInput):
    """The backend refused the input of an operation; nothing was started."""


class RunnerClosed(KarborBackupError):
    """The runner is closed: it starts no operation and ends none; another one can resume them."""


class ContractViolation(KarborBackupError):
    """A backend or an extension broke a rule of the contract."""


class BackendError(KarborBackupError):
    """A call of a hook failed for good: repeating it would not help."""


class BackendFault(BackendError):
    """A hook raised what the contract does not allow; the cause is that exception."""


class Transient(BackendError):
    """A call of a hook failed in a way that may pass.

    Only the core repeats calls. A backend makes one attempt and raises this.

    Attributes:
        retry_after: seconds before a repeat makes sense, where the service said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreError(KarborBackupError):
    """The store could not do what it was asked."""


class StoreNotFound(StoreError):
    """There is no store at the place that was named; reading makes none."""


class Conflict(StoreError):
    """The operation has been written by somebody else since it was read."""


class Busy(StoreError):
    """Another operation that is not yet released has what this one needs; nothing was written.

    Attributes:
        what: what it has, in words.
        holder: the id of that operation.
        pending: whether that operation waits itself, and came before.
    """

    def __init__(self, what: str, holder: str, *, pending: bool = False) -> None:
        super().__init__(what, holder)
        self.what = what
        self.holder = holder
        self.pending = pending

    def __str__(self) -> str:
        if self.pending:
            return f"operation {self.holder} waits for {self.what}, and came before"
        return f"{self.what} is in use by operation {self.holder}: wait until it is done"


class BackupBusy(Busy):
    """Another operation that is not yet released works on the same backup."""

    def __init__(self, backup_id: str, holder: str) -> None:
        super().__init__(f"backup {backup_id}", holder)


class ResourceBusy(Busy):
    """Another operation has a shared resource that one of the two has to have to itself."""
